//! What a callout and a rota look like in most tests.

use super::Device;
use firstlight_protocol::{
    Timestamp,
    callout::{AgeBand, Preference, Routing},
    rota::{Repeat, Shift, Tier},
};

/// One young person, one responder wanted, in this zone.
pub fn routing(zone: &str, now: Timestamp) -> Routing {
    Routing {
        call_back: "555-0110".parse().expect("a number"),
        zone: zone.parse().expect("a zone"),
        site: None,
        first_contact_at: now,
        young_people: 1,
        age_band: AgeBand::Early,
        languages: Vec::new(),
        preference: Preference::Any,
        scene_safe: true,
        emergency_needed: false,
        wanted: 1,
        training: Vec::new(),
    }
}

/// Somebody on duty around the clock.
pub fn shift(tier: Tier, device: &Device) -> Shift {
    Shift {
        id: None,
        tier,
        person: device.person,
        zone: None,
        from: "2024-01-01T00:00:00".parse().expect("a time"),
        until: "2024-01-02T00:00:00".parse().expect("a time"),
        repeat: Repeat::Daily,
        repeat_until: None,
    }
}
