//! Officers without an app, and answers by telephone: against a provider that behaves as the real one.

mod calls;
mod duty;
mod intake;
mod texts;

use firstlight_protocol::{CalloutId, ContactId, api::Contacts, callout::Phone, policy::ContactMethod};
use firstlight_server::config::TelephonyAccount;
use firstlight_tests::{inproc::Cast, providers::Twilio, world::free_address};

/// The account with the provider.
const SID: &str = "AC1";
/// Our number.
const OURS: &str = "+15555550100";
/// The primary advocate's telephone.
const ADVOCATE: &str = "+15555550111";
/// An officer's telephone.
const OFFICER: &str = "+15555550133";

/// A cast with a telephone line.
struct Line {
    cast: Cast,
    twilio: Twilio,
}

/// A server whose only provider is the stand-in; both know each other's address.
async fn line() -> Line {
    let twilio = Twilio::start(&[(SID, "a token of the account")]);
    let base_url = twilio.url();
    // The provider signs for the address by which it reaches the server, so the port has to be known before it starts.
    let free = free_address();
    let cast = Cast::with(|config| {
        let token = config.data_dir.with_extension("token");
        std::fs::write(&token, "a token of the account").unwrap();
        config.listen = free;
        config.paging.public_url = format!("http://{free}");
        config.paging.telephony = vec![TelephonyAccount {
            name: "first".into(),
            base_url,
            account_sid: SID.into(),
            auth_token_file: Some(token),
            from: OURS.into(),
            sms: true,
            voice: true,
        }];
    })
    .await;
    Line { cast, twilio }
}

impl Line {
    /// Where the provider's requests go.
    fn url(&self, what: &str) -> String {
        format!("http://{}/v1/telephony/first/{what}", self.cast.server.http.addr())
    }

    async fn text(&self, from: &str, body: &str) -> Vec<String> {
        let (status, replies) = self.twilio.text(SID, from, OURS, body, &self.url("incoming-sms")).await;
        assert_eq!(status, 200);
        replies
    }

    /// Nothing that any telephone showed tells of the callout: no place, no age, no number of people, no name.
    fn says_nothing_of(&self, callout: CalloutId) {
        for number in [ADVOCATE, OFFICER] {
            let shown = format!("{:?}", self.twilio.phone(number)).to_lowercase();
            for content in ["north", "young", "child", "early", "555-0101", "spanish", "agency a", "police"] {
                assert!(!shown.contains(content), "{content}: {shown}");
            }
            assert!(!shown.contains(&callout.to_string()), "{shown}");
        }
    }
}

/// The primary advocate is reached by their telephone, verified by a code that came to it.
async fn page_by(line: &Line, kind: &str) {
    let (cast, number): (_, Phone) = (&line.cast, ADVOCATE.parse().unwrap());
    let id = ContactId([7; 16]);
    let method = match kind {
        "voice" => ContactMethod::Voice { id, number },
        _ => ContactMethod::Sms { id, number },
    };
    if kind == "voice" {
        line.twilio.answering(ADVOCATE, firstlight_tests::providers::Answering::Person(vec![]));
    }
    let person = cast.primary.person;
    let contacts = Contacts { methods: vec![method], ..Contacts::default() };
    cast.primary.put::<()>(format!("/v1/people/{person}/contacts"), &contacts).await.unwrap();
    let path = format!("/v1/people/{person}/contacts/{id}/verify");
    let _: serde_json::Value = cast.primary.post(format!("{path}/start"), &serde_json::json!({})).await.unwrap();
    let code = line.twilio.wait_for(ADVOCATE, "a code", |phone| phone.code(6)).await;
    cast.primary.post::<()>(path, &serde_json::json!({ "code": code })).await.unwrap();
}
