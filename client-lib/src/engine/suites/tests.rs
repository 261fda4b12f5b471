//! The narrow provider and the wide one understand each other in the suites that are allowed, and in no other.

use super::Suites;
use firstlight_protocol::mls::SUITES;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{crypto::OpenMlsCrypto, random::OpenMlsRand, types::Ciphersuite};

#[test]
fn in_the_allowed_suites_it_is_one_with_the_wide_provider() {
    let (narrow, wide) = (Suites::default(), RustCrypto::default());
    assert_eq!(narrow.supported_ciphersuites().into_iter().map(u16::from).collect::<Vec<_>>(), SUITES);
    for suite in narrow.supported_ciphersuites() {
        narrow.supports(suite).unwrap();
        let (hash, aead, scheme) = (suite.hash_algorithm(), suite.aead_algorithm(), suite.signature_algorithm());
        let ikm = narrow.random_vec(32).unwrap();
        let pair = narrow.derive_hpke_keypair(suite.hpke_config(), &ikm).unwrap();
        let same = wide.derive_hpke_keypair(suite.hpke_config(), &ikm).unwrap();
        assert_eq!(pair.public, same.public);

        let sealed = narrow.hpke_seal(suite.hpke_config(), &pair.public, b"info", b"aad", b"text").unwrap();
        let opened = wide.hpke_open(suite.hpke_config(), &sealed, &same.private, b"info", b"aad").unwrap();
        assert_eq!(opened, b"text");
        let sealed = wide.hpke_seal(suite.hpke_config(), &pair.public, b"info", b"aad", b"text").unwrap();
        assert_eq!(narrow.hpke_open(suite.hpke_config(), &sealed, &pair.private, b"info", b"aad").unwrap(), b"text");
        assert!(narrow.hpke_open(suite.hpke_config(), &sealed, &pair.private, b"info", b"other").is_err());

        let (output, sent) =
            narrow.hpke_setup_sender_and_export(suite.hpke_config(), &pair.public, b"info", b"context", 32).unwrap();
        let got = wide
            .hpke_setup_receiver_and_export(suite.hpke_config(), &output, &pair.private, b"info", b"context", 32)
            .unwrap();
        let again = narrow
            .hpke_setup_receiver_and_export(suite.hpke_config(), &output, &pair.private, b"info", b"context", 32)
            .unwrap();
        assert_eq!((&*sent, &*sent), (&*got, &*again));

        let (secret, public) = narrow.signature_key_gen(scheme).unwrap();
        let signature = narrow.sign(scheme, b"text", &secret).unwrap();
        assert_eq!(signature, wide.sign(scheme, b"text", &secret).unwrap());
        narrow.verify_signature(scheme, b"text", &public, &signature).unwrap();
        assert!(narrow.verify_signature(scheme, b"test", &public, &signature).is_err());

        assert_eq!(narrow.hash(hash, b"text").unwrap(), wide.hash(hash, b"text").unwrap());
        assert_eq!(narrow.hmac(hash, b"key", b"text").unwrap(), wide.hmac(hash, b"key", b"text").unwrap());
        let extracted = narrow.hkdf_extract(hash, b"salt", b"ikm").unwrap();
        assert_eq!(extracted, wide.hkdf_extract(hash, b"salt", b"ikm").unwrap());
        assert_eq!(
            narrow.hkdf_expand(hash, extracted.as_slice(), b"info", 48).unwrap(),
            wide.hkdf_expand(hash, extracted.as_slice(), b"info", 48).unwrap()
        );
        let sealed = narrow.aead_encrypt(aead, &[1; 16], b"text", &[2; 12], b"aad").unwrap();
        assert_eq!(wide.aead_decrypt(aead, &[1; 16], &sealed, &[2; 12], b"aad").unwrap(), b"text");
        assert_eq!(narrow.aead_decrypt(aead, &[1; 16], &sealed, &[2; 12], b"aad").unwrap(), b"text");
    }
}

#[test]
fn every_other_suite_is_refused() {
    let (narrow, wide) = (Suites::default(), RustCrypto::default());
    let others: Vec<Ciphersuite> =
        wide.supported_ciphersuites().into_iter().filter(|suite| !SUITES.contains(&u16::from(*suite))).collect();
    assert!(others.len() > 5);
    for suite in others {
        let ikm = [7; 64];
        assert!(narrow.supports(suite).is_err());
        assert!(narrow.derive_hpke_keypair(suite.hpke_config(), &ikm).is_err(), "{suite:?}");
        let pair = wide.derive_hpke_keypair(suite.hpke_config(), &ikm).unwrap();
        assert!(narrow.hpke_seal(suite.hpke_config(), &pair.public, b"", b"", b"text").is_err(), "{suite:?}");
        let sealed = wide.hpke_seal(suite.hpke_config(), &pair.public, b"", b"", b"text").unwrap();
        assert!(narrow.hpke_open(suite.hpke_config(), &sealed, &pair.private, b"", b"").is_err(), "{suite:?}");
    }
}
