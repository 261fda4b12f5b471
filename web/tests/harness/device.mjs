// A device made from protocol/docs/identity.md alone: it enrols and signs in, so that a test can register a page's duty key
// without the engine.
import { createHmac, generateKeyPairSync, hkdfSync, randomBytes, sign } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const url64 = (bytes) => Buffer.from(bytes).toString('base64url');

export function idBytes(id) {
  let value = 0n;
  for (const digit of id.split('_')[1]) value = (value << 5n) | BigInt(ALPHABET.indexOf(digit));
  return Buffer.from(value.toString(16).padStart(32, '0'), 'hex');
}

export function newId(prefix) {
  let value = BigInt(`0x${randomBytes(16).toString('hex')}`);
  let text = '';
  for (let i = 0; i < 26; i += 1) {
    text = ALPHABET[Number(value & 31n)] + text;
    value >>= 5n;
  }
  return `${prefix}_${text}`;
}

function head(major, n) {
  if (n < 24) return Buffer.from([(major << 5) | n]);
  if (n < 256) return Buffer.from([(major << 5) | 24, n]);
  const out = Buffer.alloc(9);
  out[0] = (major << 5) | 27;
  out.writeBigUInt64BE(BigInt(n), 1);
  return out;
}
function cbor(value) {
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number') return head(0, value);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  const entries = Object.entries(value);
  return Buffer.concat([head(5, entries.length), ...entries.flatMap(([key, one]) => [cbor(key), cbor(one)])]);
}
const message = (context, payload) => Buffer.concat([Buffer.from(`firstlight/v1/${context}\0`), payload]);

async function ask(server, method, path, body, token) {
  const response = await fetch(server.url + path, {
    method,
    headers: { ...(body && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** Uses an invite link; `finish` signs in once an admin has signed. */
export async function enrol(server, link) {
  const [, , invite, secret] = link.split('#')[1].split('.');
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const derive = (info) => Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64url'), idBytes(invite), info, 32));
  const claim = url64(derive('firstlight/v1/invite-claim'));
  const device = newId('dev');
  const payload = cbor({ invite: idBytes(invite), device: idBytes(device), key: Buffer.from(raw), created_at: Date.now() });
  const possession = sign(null, message('signing-request', payload), privateKey);
  const mac = createHmac('sha256', derive('firstlight/v1/invite-request'))
    .update(message('signing-request-mac', Buffer.concat([possession, payload])))
    .digest();
  const request = { payload: url64(payload), possession: url64(possession), mac: url64(mac) };
  await ask(server, 'POST', '/v1/enrolments', { device, claim, request });
  return {
    device,
    async finish() {
      const status = await ask(server, 'POST', '/v1/enrolments/status', { device, claim });
      if (status.status !== 'issued') throw new Error(`not issued: ${status.status}`);
      const { challenge } = await ask(server, 'POST', '/v1/auth/challenges', { device });
      const signed = cbor([server.url, idBytes(device), Buffer.from(challenge, 'base64url')]);
      const signature = url64(sign(null, message('sign-in', signed), privateKey));
      const { access } = await ask(server, 'POST', '/v1/auth/sessions', { device, challenge, signature });
      const request = (method, path, body) => ask(server, method, path, body, access);
      return { device, access, request, me: await request('GET', '/v1/me') };
    },
  };
}
