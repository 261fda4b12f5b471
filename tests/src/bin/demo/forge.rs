//! What somebody would try who has changed their client: requests that no honest client makes, with real keys and
//! certificates, built on openmls directly.

use ed25519_dalek::{Signer as _, SigningKey};
use firstlight_client::session::{Session, now, random};
use firstlight_protocol::{
    Bytes, DeviceId, MessageId, RoomId, RoomKind, Timestamp,
    api::{CommitBundle, CreateRoom},
    limits,
    mls::{
        MAX_FORWARD_DISTANCE, OUT_OF_ORDER_TOLERANCE, ROOM_CONTEXT_EXTENSION, RoomContext, authenticated_data,
        credential_content,
    },
};
use firstlight_tests::process::{Result, fail};
use openmls::prelude::{
    Capabilities, Ciphersuite, Credential, CredentialType, CredentialWithKey, Extension, ExtensionType, Extensions,
    GroupId, KeyPackage, Lifetime, MlsGroup, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, OpenMlsProvider as _,
    PURE_PLAINTEXT_WIRE_FORMAT_POLICY, ProtocolVersion, SenderRatchetConfiguration, SignatureScheme, UnknownExtension,
};
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::signatures::{Signer, SignerError};
use tls_codec::{DeserializeBytes as _, Serialize as _};

const DAY: u64 = 86_400;

/// The device's own key: a changed client has it, too.
struct Key(SigningKey);

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> std::result::Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// A well-formed room of advocates with `intruder` in it, which no honest client would build.
pub(crate) async fn advocates_room_with(session: &Session, intruder: DeviceId) -> Result<CreateRoom> {
    let suites = session.api().http().server_info().await?.suites;
    let suite = suites.first().copied().ok_or_else(|| fail("the server allows no suite"))?;
    let claimed = session.api().claim_key_packages(suite, vec![intruder]).await?;
    let package = claimed.into_iter().find_map(|claimed| claimed.key_package);
    let package = package.ok_or_else(|| fail("the device that is to be smuggled in has no key package"))?;
    let (key, chain, org) = session
        .state()
        .read(|engine| {
            let key = engine.signing_key().map(|key| Key(key.clone()));
            (key, engine.chain().to_vec(), engine.identity().map(|own| own.org))
        })
        .await?;
    let (key, org) = (key?, org.ok_or_else(|| fail("not enrolled"))?);
    let context = RoomContext { kind: RoomKind::Advocate, org, callout: None };
    build(&key, &chain, &context, suite, &package)
}

fn build(key: &Key, chain: &[Bytes], context: &RoomContext, suite: u16, package: &[u8]) -> Result<CreateRoom> {
    let provider = OpenMlsRustCrypto::default();
    let room = RoomId(random()?);
    let extension = Extension::Unknown(ROOM_CONTEXT_EXTENSION, UnknownExtension(context.encode()));
    let credential = CredentialWithKey {
        credential: Credential::new(CredentialType::X509, credential_content(chain)),
        signature_key: key.0.verifying_key().to_bytes().to_vec().into(),
    };
    let mut group = MlsGroup::builder()
        .with_group_id(GroupId::from_slice(room.as_bytes()))
        .ciphersuite(Ciphersuite::try_from(suite)?)
        .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(limits::PADDING)
        .use_ratchet_tree_extension(false)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER_TOLERANCE, MAX_FORWARD_DISTANCE))
        .lifetime(lifetime(now()))
        .with_capabilities(capabilities()?)
        .with_group_context_extensions(Extensions::single(extension)?)
        .build(&provider, key, credential)?;
    let group_info = bytes(&group.export_group_info(provider.crypto(), key, false)?)?;
    let tree = Bytes(group.export_ratchet_tree().tls_serialize_detached()?);
    let id = MessageId(random()?);
    group.set_aad(authenticated_data(id));
    let made = group
        .commit_builder()
        .propose_adds([read(package, &provider)?])
        .load_psks(provider.storage())?
        .create_group_info(true)
        .build(provider.rand(), provider.crypto(), key, |_| true)?
        .stage_commit(&provider)?;
    let (commit, welcome, after) = made.into_messages();
    let after = after.ok_or_else(|| fail("no group info was made"))?;
    let commit = CommitBundle {
        id,
        epoch: 0,
        commit: bytes(&commit)?,
        welcome: welcome.as_ref().map(bytes).transpose()?,
        group_info: bytes(&after)?,
    };
    Ok(CreateRoom { room, group_info, tree, commit: Some(commit) })
}

fn read(package: &[u8], provider: &OpenMlsRustCrypto) -> Result<KeyPackage> {
    match MlsMessageIn::tls_deserialize_exact_bytes(package)?.extract() {
        MlsMessageBodyIn::KeyPackage(package) => Ok(package.validate(provider.crypto(), ProtocolVersion::Mls10)?),
        _ => Err(fail("that is no key package")),
    }
}

fn capabilities() -> Result<Capabilities> {
    let suites = firstlight_protocol::mls::SUITES.into_iter().map(Ciphersuite::try_from);
    let suites = suites.collect::<std::result::Result<Vec<_>, _>>()?;
    let extensions = [ExtensionType::Unknown(ROOM_CONTEXT_EXTENSION), ExtensionType::LastResort];
    Ok(Capabilities::new(None, Some(&suites), Some(&extensions), None, Some(&[CredentialType::X509])))
}

fn lifetime(now: Timestamp) -> Lifetime {
    let seconds = u64::try_from(now.as_millis() / 1_000).unwrap_or(0);
    Lifetime::init(seconds.saturating_sub(3_600), seconds + 84 * DAY)
}

fn bytes(message: &MlsMessageOut) -> Result<Bytes> {
    Ok(Bytes(message.tls_serialize_detached()?))
}
