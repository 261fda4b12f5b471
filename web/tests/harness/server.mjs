// A real server on a directory of its own, and the command line for the people who have no browser here.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = new URL('../../../', import.meta.url).pathname;
const bin = process.env.FIRSTLIGHT_BIN_DIR ?? join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug');

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

/** Starts a server; `stop` ends it and removes what it kept, `restart` starts it again on the same data. With a level, what
 *  it logs is kept in `logged`. */
export async function startServer({ log } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'firstlight-web-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(dir, 'server.toml');
  writeFileSync(config, `listen = "127.0.0.1:${port}"\nname = "${url}"\ndata_dir = "${join(dir, 'data')}"\n[log]\nformat = "json"\n${log ? `filter = "${log}"\n` : ''}`);
  const logged = [];
  let child;
  const start = async () => {
    child = spawn(join(bin, 'firstlight-server'), ['--config', config, 'serve'], { stdio: ['ignore', 'ignore', 'pipe'] });
    const lines = createInterface({ input: child.stderr });
    const said = [];
    for await (const line of lines) {
      said.push(line);
      if (line.includes('"listening"')) break;
    }
    if (!said.at(-1)?.includes('"listening"')) throw new Error(`the server did not start:\n${said.join('\n')}`);
    if (log === undefined) child.stderr.resume();
    else {
      logged.push(...said);
      createInterface({ input: child.stderr }).on('line', (line) => logged.push(line));
    }
  };
  const kill = async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  await start();
  return {
    dir,
    url,
    data: join(dir, 'data'),
    logged,
    bootstrap: join(dir, 'data', 'bootstrap-token'),
    kill,
    restart: start,
    async stop() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A device of the command line: `run('people')` gives its JSON. */
export function cli(server, who) {
  const state = join(server.dir, who.toLowerCase().replaceAll(' ', '-'));
  return {
    who,
    run(args, input) {
      return new Promise((resolve, reject) => {
        const all = ['--state', state, '--key-file', `${state}.key`, ...args, '--json'];
        const child = execFile(join(bin, 'firstlight'), all, { maxBuffer: 1 << 26 }, (error, out, err) => {
          if (error) reject(new Error(`${who}: firstlight ${args.slice(0, 2).join(' ')}: ${err}`));
          else resolve(JSON.parse(out));
        });
        child.stdin.end(input ?? '');
      });
    },
  };
}
