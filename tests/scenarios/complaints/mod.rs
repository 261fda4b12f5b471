//! What the users of other on-call products complain about (PEERS.md), a named test for each: it must not be repeated here.
//!
//! | complaint | test |
//! |---|---|
//! | a voicemail counted as delivered | `ways::a_voicemail_is_neither_delivered_nor_an_answer`, `phone::calls`, `channels::voice` |
//! | a webhook error recorded as sent | `channels::web::an_error_of_a_webhook_is_a_failure_and_not_a_page_that_was_sent` |
//! | an "undelivered" SMS counted as sent | `ways::an_undelivered_sms_is_not_counted_as_sent`, `channels::callbacks`, `channels::failover` |
//! | a tier with nobody on call still waits its full delay | `calls::a_tier_with_nobody_on_call_does_not_wait_its_delay` |
//! | one call only, then half an hour of silence | `calls::one_call_is_not_followed_by_half_an_hour_of_silence` |
//! | escalation paused by a restart | `proof::stalls::an_escalation_is_not_paused_by_a_restart` |
//! | the stalled-escalation auditor itself turned off | `proof::stalls::the_auditor_can_not_be_off_without_anybody_hearing_of_it` |
//! | daylight-saving gaps and overlaps | `rotas::neither_change_of_the_clock_leaves_a_gap_or_an_overlap`, and in protocol/src/rota/tests |
//! | swaps that drift when a shift moves | `rotas::a_swap_follows_its_shift_when_that_moves` |
//! | people on call with no way to reach them | `proof::readiness::people_on_call_with_no_way_to_reach_them_are_named_with_the_reasons` |
//! | still paging after an acknowledgement | `calls::nobody_is_paged_after_they_have_answered`, `channels::rules` |
//! | a critical alert silent on a silenced phone | `ways::a_page_that_made_no_sound_is_not_the_last`, `channels::web::a_topic_is_published_to_with_its_token_and_rings` |
//! | logged-out colleagues who still get the dispatches | `calls::a_colleague_who_has_left_gets_no_dispatches` |
//! | six responders at once waiting behind a rate limit of five | `ways::six_responders_wait_behind_no_limit`, `channels::stalled::fifty_responders_at_once_are_all_handed_over` |
//! | "never acknowledge, or you stop it for everyone else" | `calls::an_acknowledgement_stops_the_calls_to_nobody_else` |
//! | callers who asked for a woman always routed to men | `rotas::who_asked_for_a_woman_is_not_sent_a_man_first` |
//!
//! And one of DOMAIN.md's: a sender who was blocked ("STOP") without anybody hearing of it, in `channels::blocked` and
//! `phone::texts`.

mod calls;
mod rotas;
mod ways;
