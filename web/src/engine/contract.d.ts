// Generated from web/engine/contract.json: npm run contract

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An access token. */
        AccessToken: {
            /** @description The token. */
            token: components["schemas"]["Secret"];
        };
        /** @description Which access token. */
        AccessTokenFor: {
            /** @description The last one was refused (`token_expired`, `unauthenticated`): a new one is fetched. */
            fresh?: boolean;
        };
        /** @description An action on a callout. */
        ActOn: {
            /** @description What to do. */
            action: components["schemas"]["Action"];
            /** @description The callout. */
            callout: components["schemas"]["CalloutId"];
        };
        /**
         * @description One action on a callout. A repeated action id is answered as the first time, without doing anything
         *     again. Who may do what stands with the engine that decides it (`firstlight-dispatch`).
         */
        Action: {
            /** @enum {string} */
            do: "acknowledge";
        } | {
            /** @enum {string} */
            do: "accept";
            /**
             * Format: int32
             * @description Minutes from now, at most [`MAX_ETA_MINUTES`].
             */
            eta_minutes: number;
        } | {
            /** @enum {string} */
            do: "decline";
        } | {
            /** @enum {string} */
            do: "eta";
            /**
             * Format: int32
             * @description Minutes from now, at most [`MAX_ETA_MINUTES`].
             */
            eta_minutes: number;
        } | {
            /** @enum {string} */
            do: "en_route";
        } | {
            /** @enum {string} */
            do: "arrived";
        } | {
            /** @enum {string} */
            do: "with_young_person";
        } | {
            /** @enum {string} */
            do: "hand_over";
        } | {
            /** @enum {string} */
            do: "close";
            /**
             * Format: int32
             * @description How many kits were given.
             */
            kits_given?: number;
            /** @description Reason codes, each at most once. */
            reasons?: components["schemas"]["OutcomeReason"][];
            /** @description Whether support was accepted. */
            support: components["schemas"]["Support"];
        } | {
            /** @enum {string} */
            do: "review";
            /** @description Further reason codes, each at most once. */
            reasons?: components["schemas"]["OutcomeReason"][];
            /** @description How the responders are. */
            welfare: components["schemas"]["Welfare"];
        } | {
            /** @enum {string} */
            do: "cancel";
            /** @description Why. */
            reason: components["schemas"]["CancelReason"];
        } | {
            /** @enum {string} */
            do: "merge";
            /** @description That callout. */
            into: components["schemas"]["CalloutId"];
        } | {
            /** @enum {string} */
            do: "call_more";
            /** @description People to call at once, even if they had declined or were stood down; at most [`MAX_ASKED`]. */
            people?: components["schemas"]["PersonId"][];
            /**
             * Format: int32
             * @description How many are wanted in all from now on: more than have accepted, at most [`MAX_WANTED`].
             */
            wanted: number;
        } | {
            /** @enum {string} */
            do: "bar";
            /** @description Who. */
            person: components["schemas"]["PersonId"];
        };
        /** @description A role of an organisation's kind. */
        Admitted: {
            /** @description The organisation's kind. */
            org_kind: components["schemas"]["OrgKind"];
            /** @description The role. */
            role: components["schemas"]["Role"];
        };
        /**
         * @description The young people's age band: enough for staffing and protocol, too little to identify anybody.
         * @enum {string}
         */
        AgeBand: "unknown" | "under12" | "early" | "late" | "adult" | "mixed";
        /** @description One agency's notice as the host's supervisors see it. */
        AgencyNoticeStatus: {
            escalated_at?: components["schemas"]["Timestamp"] | null;
            next_at?: components["schemas"]["Timestamp"] | null;
            /** @description What the agency sees. */
            notice: components["schemas"]["AgencyNoticeView"];
            /** @description The newest attempts to reach each person, oldest first. */
            pages: components["schemas"]["NoticePage"][];
            silent_at?: components["schemas"]["Timestamp"] | null;
        };
        /** @description One agency's notice of one callout, as the agency's people see it: all that they see. */
        AgencyNoticeView: {
            acknowledged_at?: components["schemas"]["Timestamp"] | null;
            acknowledged_by?: components["schemas"]["PersonId"] | null;
            /** @description The agency that is notified. */
            agency: components["schemas"]["OrgId"];
            /** @description The callout was called off, or goes on under another reference. */
            called_off: boolean;
            /** @description The callout; it opens nothing to the agency, and names the notice together with `agency`. */
            callout: components["schemas"]["CalloutId"];
            /** @description It is a drill: no young person waits. */
            drill: boolean;
            /** @description When the first notice went out. */
            notified_at: components["schemas"]["Timestamp"];
            /** @description Six characters to say on the telephone. */
            reference: string;
            /** @description The zone's code. */
            zone: components["schemas"]["Code"];
        };
        /** @description Something a person has to hear about. Raised once per cause. */
        Alarm: {
            /** @enum {string} */
            kind: "unanswered";
        } | {
            /** @enum {string} */
            kind: "unfilled";
            /**
             * Format: int32
             * @description How many are still wanted.
             */
            missing: number;
        } | {
            /** @enum {string} */
            kind: "empty_tier";
            /** @description The tier. */
            tier: components["schemas"]["Tier"];
        } | {
            /** @enum {string} */
            kind: "no_language_match";
            /** @description The tier. */
            tier: components["schemas"]["Tier"];
        } | {
            /** @enum {string} */
            kind: "unreachable";
            /** @description Whom. */
            person: components["schemas"]["PersonId"];
        } | {
            /** @enum {string} */
            kind: "contact_broken";
            /** @description Whose. */
            person: components["schemas"]["PersonId"];
            /** @description Why. */
            reason: components["schemas"]["FailReason"];
        } | {
            /** @enum {string} */
            kind: "alone";
            /** @description Who. */
            person: components["schemas"]["PersonId"];
        } | {
            /** @enum {string} */
            kind: "projected_breach";
            /** @description Whose ETA. */
            person: components["schemas"]["PersonId"];
        } | {
            /** @enum {string} */
            kind: "no_movement";
            /** @description Who. */
            person: components["schemas"]["PersonId"];
        } | {
            /** @enum {string} */
            kind: "overdue";
            /** @description Who. */
            person: components["schemas"]["PersonId"];
        } | {
            /** @description Which. */
            agency: components["schemas"]["OrgId"];
            /** @enum {string} */
            kind: "agency_silent";
        } | {
            /** @enum {string} */
            kind: "review_overdue";
        } | {
            /** @enum {string} */
            kind: "stalled";
        };
        /** @description An answer to a question. */
        AnswerAsk: {
            /** @description The answer. */
            agrees: boolean;
            /** @description The question. */
            ask: components["schemas"]["MessageId"];
            /** @description The room. */
            room: components["schemas"]["RoomId"];
        };
        /** @description One person's answer. */
        Answered: {
            /** @description What. */
            agrees: boolean;
            /** @description Who. */
            by: components["schemas"]["DeviceIdentity"];
        };
        /** @description Somebody asks to let another class of organisation into a room, which takes two people. */
        Ask: {
            /** @description Whether somebody's agreement counts. */
            agreed: boolean;
            /** @description Each person's newest answer. */
            answers: components["schemas"]["Answered"][];
            /** @description Who asks. */
            by: components["schemas"]["DeviceIdentity"];
            /** @description The message that asked. */
            id: components["schemas"]["MessageId"];
            /** @description Whether this person may agree. */
            may_agree: boolean;
            /** @description The class. */
            org_kind: components["schemas"]["OrgKind"];
            /** @description This person asks, and may add people of the class once it is agreed to. */
            own: boolean;
            /** @description Until when it can be answered, and people be added. */
            until: components["schemas"]["Timestamp"];
        };
        /** @description A question to ask in a room. */
        AskToAdmit: {
            /** @description The class of organisation. */
            org_kind: components["schemas"]["OrgKind"];
            /** @description The room. */
            room: components["schemas"]["RoomId"];
        };
        /** @description Something that a supervisor has to look at. */
        Attention: {
            /** @description Which way. */
            contact: components["schemas"]["ContactId"];
            /** @enum {string} */
            kind: "contact_blocked";
            /** @description Whose. */
            person: components["schemas"]["PersonId"];
        } | {
            /** @description Which way. */
            contact: components["schemas"]["ContactId"];
            /** @enum {string} */
            kind: "contact_invalid";
            /** @description Whose. */
            person: components["schemas"]["PersonId"];
        } | {
            /** @enum {string} */
            kind: "codes_tried";
        } | {
            /** @enum {string} */
            kind: "pins_tried";
            /** @description Whose. */
            person: components["schemas"]["PersonId"];
        } | {
            /** @enum {string} */
            kind: "line_exhausted";
            /** @description Which. */
            line: components["schemas"]["LineId"];
        } | {
            /** @enum {string} */
            kind: "line_unusable";
            /** @description Which. */
            line: components["schemas"]["LineId"];
        } | {
            /** @description About which callout. */
            callout: components["schemas"]["CalloutId"];
            /** @enum {string} */
            kind: "caller_unreached";
        } | {
            /** @description The first moment of the first gap that is new. */
            from: components["schemas"]["Timestamp"];
            /** @enum {string} */
            kind: "coverage_gap";
            /**
             * Format: int32
             * @description How many more are new.
             */
            more: number;
            /** @description In which tier. */
            tier: components["schemas"]["Tier"];
            /** @description The first moment after it. */
            until: components["schemas"]["Timestamp"];
        };
        /**
         * @description What can be done in this browser now.
         * @enum {string}
         */
        BrowserState: "empty" | "locked" | "unlocked" | "other_tab" | "unusable";
        /** @description base64url without padding */
        Bytes: string;
        /** @description What an officer tells the responder and nobody else (DOMAIN.md, "The callout": the end-to-end encrypted fields). */
        CalloutDetails: {
            /** @description Exact address. */
            address?: string;
            /** @description Entrance, parking, staging point. */
            arrival?: string;
            /** @description Kit size. */
            kit?: string;
            /** @description Injuries and needs. */
            needs?: string;
            /** @description Free text; the client warns: no names, no criminal-justice data. */
            notes?: string;
        };
        CalloutId: string;
        /**
         * @description The callout as a whole. While it is open, this is how far the responder who is furthest has come.
         * @enum {string}
         */
        CalloutState: "submitted" | "paging" | "acknowledged" | "accepted" | "en_route" | "arrived" | "with_young_person" | "handed_over" | "closed" | "reviewed" | "cancelled" | "unanswered" | "merged";
        /** @description A callout as one viewer may see it. */
        CalloutView: {
            /**
             * Format: int32
             * @description How many have accepted.
             */
            accepted: number;
            /**
             * Format: int32
             * @description How many are awake but have not accepted.
             */
            acknowledged: number;
            /** @description The agency that opened it. */
            agency: components["schemas"]["OrgId"];
            /** @description Which other agencies were notified, and what became of it; supervisors only. */
            agency_notices?: components["schemas"]["AgencyNoticeStatus"][] | null;
            /** @description Alarms raised; for police only those that concern them. */
            alarms?: components["schemas"]["RaisedAlarm"][];
            /** @description People who are barred from it by their profile or by a supervisor, whoever else may be called; supervisors only. */
            barred?: components["schemas"]["PersonId"][];
            /** @description The number to call when nobody has accepted. */
            duty_number: components["schemas"]["Phone"];
            /** @description The callout. */
            id: components["schemas"]["CalloutId"];
            merged_into?: components["schemas"]["CalloutId"] | null;
            next_action?: components["schemas"]["NextAction"] | null;
            /** @description When the server received it. */
            opened_at: components["schemas"]["Timestamp"];
            outcome?: components["schemas"]["Outcome"] | null;
            /** @description The newest pages of every responder; supervisors only. */
            pages?: components["schemas"]["PageView"][] | null;
            /** @description Open callouts that look like the same one; for the officer and supervisors. Merging is offered, never forced. */
            possible_duplicates?: components["schemas"]["CalloutId"][];
            /** @description Why it was opened. Anything but `real` has to be shown, everywhere. */
            purpose?: components["schemas"]["Purpose"];
            /** @description Six characters to say on the telephone and to send by SMS. They tell callouts apart, and look nothing up. */
            reference?: string;
            /** @description The responders this viewer may know of: police and responders see those who accepted, supervisors everybody. */
            responders?: components["schemas"]["ResponderView"][];
            /**
             * Format: int64
             * @description Rises with every change; a view with a lower one is out of date.
             */
            revision: number;
            room?: components["schemas"]["RoomId"] | null;
            /**
             * @description Who belongs in the callout's room now: whom the policy may page until the callout is filled, then those who
             *     accepted, and the supervisors on duty. For the members' clients, which add and remove.
             */
            room_people?: components["schemas"]["PersonId"][] | null;
            routing?: components["schemas"]["Routing"] | null;
            /** @description Its state. */
            state: components["schemas"]["CalloutState"];
            step?: components["schemas"]["StepView"] | null;
            /** @description What happened when. For all but supervisors: only what concerns the callout as a whole and those who accepted. */
            timeline?: components["schemas"]["TimelineEntry"][];
            /** @description Every running timer, soonest first; supervisors only. */
            timers?: components["schemas"]["NextAction"][] | null;
            /**
             * Format: int32
             * @description How many responders are wanted.
             */
            wanted: number;
            your_state?: components["schemas"]["ResponderState"] | null;
        };
        /**
         * @description Why a callout is called off.
         * @enum {string}
         */
        CancelReason: "mistake" | "not_needed" | "drill" | "left_before_arrival";
        /** @description The way one page takes. */
        Channel: {
            /** @enum {string} */
            kind: "in_app";
        } | {
            /** @description Which. */
            id: components["schemas"]["ContactId"];
            /** @enum {string} */
            kind: "webhook";
        } | {
            /** @description Which. */
            id: components["schemas"]["ContactId"];
            /** @enum {string} */
            kind: "push";
        } | {
            /** @description Which. */
            id: components["schemas"]["ContactId"];
            /** @enum {string} */
            kind: "sms";
        } | {
            /** @description Which. */
            id: components["schemas"]["ContactId"];
            /** @enum {string} */
            kind: "voice";
        } | {
            /** @description Which. */
            id: components["schemas"]["ContactId"];
            /** @enum {string} */
            kind: "email";
        } | {
            /** @description Which. */
            id: components["schemas"]["ContactId"];
            /** @enum {string} */
            kind: "ntfy";
        };
        CheckId: string;
        Code: string;
        /** @description Every command with its argument and its answer. */
        Commands: {
            /** @description A token for `Authorization: Bearer`, valid for a while. Ask again for each request. */
            access_token: {
                answer: components["schemas"]["AccessToken"];
                argument: components["schemas"]["AccessTokenFor"];
            };
            /** @description Acts on a callout. The same action again, while its answer is open, is the same action. */
            act: {
                answer: components["schemas"]["CalloutView"];
                argument: components["schemas"]["ActOn"];
            };
            /**
             * @description Adds people, all of them or nobody; every member sees it. The first of another class of organisation are refused
             *      with `needs_consent` until a second person agreed.
             */
            add_people: {
                answer: components["schemas"]["Room"];
                argument: components["schemas"]["PeopleOf"];
            };
            /**
             * @description Answers such a question. Whoever asked may add people once another person agreed, and takes the question back
             *      by not agreeing.
             */
            answer_ask: {
                answer: components["schemas"]["Room"];
                argument: components["schemas"]["AnswerAsk"];
            };
            /** @description Signs a waiting device's certificate. */
            approve_device: {
                answer: components["schemas"]["PendingDevice"];
                argument: components["schemas"]["OfDevice"];
            };
            /** @description States a founded partner: its devices are believed from now on. */
            approve_partner: {
                answer: components["schemas"]["PendingPartner"];
                argument: components["schemas"]["OfOrg"];
            };
            /** @description Asks to let another class of organisation into a room, which takes two people; every member sees it. */
            ask_to_admit: {
                answer: components["schemas"]["Room"];
                argument: components["schemas"]["AskToAdmit"];
            };
            /** @description Makes the sealed store in a browser that has none; it is unlocked then. Needed once, before joining or founding. */
            create: {
                answer: components["schemas"]["Status"];
                argument: components["schemas"]["Unlocking"];
            };
            /**
             * @description Creates a room with people, all of them or nothing. Where it takes two people to let another class of
             *      organisation in, it begins with the own one.
             */
            create_room: {
                answer: components["schemas"]["Room"];
                argument: components["schemas"]["CreateRoom"];
            };
            /** @description What this device can read of a callout's details. */
            details: {
                answer: components["schemas"]["Details"];
                argument: components["schemas"]["OfCallout"];
            };
            /** @description Gives something up that was refused. */
            discard: {
                answer: components["schemas"]["Nothing"];
                argument: components["schemas"]["OfMessage"];
            };
            /** @description Wipes this browser's store, locked or not, for good: for a device that is lost to its owner, after they confirmed it. */
            erase: {
                answer: components["schemas"]["Status"];
                argument: components["schemas"]["Nothing"];
            };
            /** @description Founds the host organisation of an empty server, with its root key made here. */
            found: {
                answer: components["schemas"]["Founded"];
                argument: components["schemas"]["Found"];
            };
            /** @description Founds a partner organisation with the host's invite. */
            found_partner: {
                answer: components["schemas"]["Founded"];
                argument: components["schemas"]["FoundPartner"];
            };
            /** @description Makes an invite. The link is shown once and given to the person by another way than the server. */
            invite: {
                answer: components["schemas"]["MadeInvite"];
                argument: components["schemas"]["MakeInvite"];
            };
            /** @description Invites of this organisation; those made here with their link, while they are open. */
            invites: {
                answer: components["schemas"]["Invites"];
                argument: components["schemas"]["Nothing"];
            };
            /**
             * @description Uses a device's invite link. Waiting for the signature goes on by itself, after a reload and unlock too; the
             *      end is an event `enrolled` or `refused`.
             */
            join: {
                answer: components["schemas"]["Status"];
                argument: components["schemas"]["LinkText"];
            };
            /** @description A page of a room's lines, oldest first: the newest, or those before or after a place. */
            lines: {
                answer: components["schemas"]["Lines"];
                argument: components["schemas"]["LinesOf"];
            };
            /** @description Drops every key from memory. The worker ends; a new one starts with the next command. */
            lock: {
                answer: components["schemas"]["Nothing"];
                argument: components["schemas"]["Nothing"];
            };
            /** @description A person has seen a room up to its newest line. */
            mark_read: {
                answer: components["schemas"]["Nothing"];
                argument: components["schemas"]["OfRoom"];
            };
            /** @description Pages, stand-downs, alarms and views that arrived here, oldest first; the newest 500. */
            notices: {
                answer: components["schemas"]["Notices"];
                argument: components["schemas"]["Nothing"];
            };
            /**
             * @description Opens a callout: answered when the server has it and the page is out. The room is built after it, with the
             *      details as its first message; see the events `room_built` and `trouble`.
             */
            open_callout: {
                answer: components["schemas"]["CalloutView"];
                argument: components["schemas"]["OpenCalloutWith"];
            };
            /** @description Requests that wait for this admin, checked with the secrets of the invites that this browser made. */
            pending_requests: {
                answer: components["schemas"]["PendingRequests"];
                argument: components["schemas"]["Nothing"];
            };
            /** @description People of this organisation, with what their devices' certificates say. */
            people: {
                answer: components["schemas"]["People"];
                argument: components["schemas"]["Nothing"];
            };
            /** @description What an invite link is, before it is used. Sends nothing. */
            read_invite: {
                answer: components["schemas"]["InviteInfo"];
                argument: components["schemas"]["LinkText"];
            };
            /** @description What an admin prints and locks away: who holds it can restore the organisation's root. */
            recovery_sheet: {
                answer: components["schemas"]["RecoverySheet"];
                argument: components["schemas"]["Nothing"];
            };
            /** @description Refuses a waiting device. */
            refuse_device: {
                answer: components["schemas"]["Nothing"];
                argument: components["schemas"]["OfDevice"];
            };
            /** @description Rejoins a room that is out of sync, with whoever is in it by now. */
            rejoin: {
                answer: components["schemas"]["Room"];
                argument: components["schemas"]["OfRoom"];
            };
            /** @description Takes the passkey away; there must be a passphrase. */
            remove_passkey: {
                answer: components["schemas"]["Status"];
                argument: components["schemas"]["Nothing"];
            };
            /** @description Removes people with all their devices; every member sees it. */
            remove_people: {
                answer: components["schemas"]["Room"];
                argument: components["schemas"]["PeopleOf"];
            };
            /** @description Tries something that was refused once more. */
            retry: {
                answer: components["schemas"]["Nothing"];
                argument: components["schemas"]["OfMessage"];
            };
            /** @description Revokes devices of this organisation, for good. */
            revoke: {
                answer: components["schemas"]["Nothing"];
                argument: components["schemas"]["Revoke"];
            };
            /** @description One room. */
            room: {
                answer: components["schemas"]["Room"];
                argument: components["schemas"]["OfRoom"];
            };
            /** @description Which kinds of rooms there are, who may be in them, and which this person may create. */
            room_kinds: {
                answer: components["schemas"]["RoomKinds"];
                argument: components["schemas"]["Nothing"];
            };
            /** @description All rooms, newest activity first. */
            rooms: {
                answer: components["schemas"]["Rooms"];
                argument: components["schemas"]["Nothing"];
            };
            /** @description The number that members compare aloud: the same for all of them in the same epoch. */
            safety_number: {
                answer: components["schemas"]["SafetyNumber"];
                argument: components["schemas"]["OfRoom"];
            };
            /**
             * @description Sends a text. The answer means that it is kept here; the event `sent` that the server has it, and
             *      `not_sent` that it was refused.
             */
            send: {
                answer: components["schemas"]["Kept"];
                argument: components["schemas"]["Send"];
            };
            /**
             * @description Sends (more) details of a callout, end-to-end encrypted, and builds its room if it has none yet: also for a
             *      callout that was opened over HTTP, with the duty key.
             */
            send_details: {
                answer: components["schemas"]["Nothing"];
                argument: components["schemas"]["SendDetails"];
            };
            /** @description Sets after how many idle minutes the session locks: 1 to 30. */
            set_lock_after: {
                answer: components["schemas"]["Status"];
                argument: components["schemas"]["SetLockAfter"];
            };
            /** @description Adds a passkey as a second way to unlock, or replaces it. */
            set_passkey: {
                answer: components["schemas"]["Status"];
                argument: components["schemas"]["Passkey"];
            };
            /** @description Sets or replaces the passphrase. */
            set_passphrase: {
                answer: components["schemas"]["Status"];
                argument: components["schemas"]["SetPassphrase"];
            };
            /** @description How this browser stands. Always answered. */
            status: {
                answer: components["schemas"]["Status"];
                argument: components["schemas"]["Nothing"];
            };
            /**
             * @description Opens the store. A wrong passphrase is `unauthenticated`, and changes nothing but the count of failures;
             *      after five, `rate_limited` with the time to wait.
             */
            unlock: {
                answer: components["schemas"]["Status"];
                argument: components["schemas"]["Unlocking"];
            };
            /** @description Withdraws an invite that was not used. */
            withdraw_invite: {
                answer: components["schemas"]["Nothing"];
                argument: components["schemas"]["OfInvite"];
            };
            /** @description Withdraws a partner: nothing of it is believed any more. */
            withdraw_partner: {
                answer: components["schemas"]["Nothing"];
                argument: components["schemas"]["OfOrg"];
            };
        };
        /**
         * @description A wish about the responder. It decides who is asked first, and never whether somebody is asked.
         * @enum {string}
         */
        Constraint: "zone" | "training" | "preference" | "language";
        ContactId: string;
        /** @description A room to create. */
        CreateRoom: {
            /** @description Fixes for good who can be a member. */
            kind: components["schemas"]["RoomKind"];
            /** @description Its name, which only members see. */
            name: string;
            /** @description First members. */
            people: components["schemas"]["PersonId"][];
        };
        /** @description What this device can read of a callout. */
        Details: {
            room?: components["schemas"]["RoomId"] | null;
            /** @description Everything that was sent, oldest first: what is newer adds to what is older, field by field. */
            sent: components["schemas"]["DetailsLine"][];
        };
        /** @description Details as somebody sent them. */
        DetailsLine: {
            /** @description When the server had them. */
            at: components["schemas"]["Timestamp"];
            by?: components["schemas"]["DeviceIdentity"] | null;
            /** @description They. */
            details: components["schemas"]["CalloutDetails"];
        };
        DeviceId: string;
        /** @description A device as its verified chain states it. */
        DeviceIdentity: {
            /** @description The device. */
            device: components["schemas"]["DeviceId"];
            /** @description The device's Ed25519 public key; also the signature key of its MLS leaves. */
            key: components["schemas"]["Bytes"];
            /** @description Last second of validity. */
            not_after: components["schemas"]["Timestamp"];
            /** @description First moment of validity (whole seconds). */
            not_before: components["schemas"]["Timestamp"];
            /** @description The organisation that the device's holder works for. */
            org: components["schemas"]["OrgId"];
            /** @description What that organisation is. */
            org_kind: components["schemas"]["OrgKind"];
            /** @description The device's holder. */
            person: components["schemas"]["PersonId"];
            /** @description What the holder may do. */
            role: components["schemas"]["Role"];
            /** @description SHA-256 of the organisation's root certificate. */
            root_fingerprint: components["schemas"]["Fingerprint"];
            /** @description SHA-256 of the signer certificate that vouches for the device. */
            signer_fingerprint: components["schemas"]["Fingerprint"];
            /** @description The name the holder uses at work, for people to read. */
            work_name: string;
        };
        /** @description Something that happened. Everything in it is stored: an event that is lost can be asked for again. */
        EngineEvent: {
            /** @enum {string} */
            event: "status";
            /** @description How. */
            status: components["schemas"]["Status"];
        } | {
            /** @enum {string} */
            event: "enrolled";
        } | {
            /** @enum {string} */
            event: "refused";
        } | {
            /** @enum {string} */
            event: "revoked";
        } | {
            /** @enum {string} */
            event: "connected";
            /** @description The server's clock. */
            server_now: components["schemas"]["Timestamp"];
        } | {
            /** @enum {string} */
            event: "disconnected";
            /**
             * Format: int64
             * @description After so many milliseconds.
             */
            retry_in_ms: number;
        } | {
            /** @enum {string} */
            event: "notice";
            /** @description It. */
            item: components["schemas"]["InboxItem"];
        } | {
            /** @enum {string} */
            event: "line";
            /** @description It. */
            line: components["schemas"]["Line"];
        } | {
            /** @enum {string} */
            event: "room";
            /** @description The room. */
            room: components["schemas"]["RoomId"];
        } | {
            /** @enum {string} */
            event: "sent";
            /** @description Its id. */
            id: components["schemas"]["MessageId"];
            /** @description Its room. */
            room: components["schemas"]["RoomId"];
            /**
             * Format: int64
             * @description Its place.
             */
            seq: number;
        } | {
            /** @enum {string} */
            event: "not_sent";
            /** @description Its id. */
            id: components["schemas"]["MessageId"];
            /** @description Why. */
            problem: components["schemas"]["Problem"];
            /** @description Its room. */
            room: components["schemas"]["RoomId"];
        } | {
            /** @description They. */
            devices: components["schemas"]["DeviceId"][];
            /** @enum {string} */
            event: "devices_revoked";
            /** @description The organisation. */
            org: components["schemas"]["OrgId"];
        } | {
            /** @description The callout. */
            callout: components["schemas"]["CalloutId"];
            /** @enum {string} */
            event: "room_built";
            /**
             * Format: int32
             * @description How many people are in it besides this one.
             */
            people: number;
            /** @description Its room. */
            room: components["schemas"]["RoomId"];
        } | {
            callout?: components["schemas"]["CalloutId"] | null;
            /** @enum {string} */
            event: "trouble";
            /** @description Why. */
            problem: components["schemas"]["Problem"];
        };
        /**
         * @description How far an unlocked device has come.
         * @enum {string}
         */
        Enrolment: "none" | "waiting" | "enrolled" | "revoked";
        /**
         * @description A stable error code. Programs decide by it; the sentence beside it is for people.
         * @enum {string}
         */
        ErrorCode: "bad_request" | "invalid_value" | "unauthenticated" | "token_expired" | "bad_signature" | "token_reused" | "ticket_invalid" | "device_revoked" | "needs_unlock" | "forbidden" | "role_not_admitted" | "needs_consent" | "not_found" | "conflict" | "stale_epoch" | "wrong_state" | "already_filled" | "invite_invalid" | "bad_chain" | "bad_mls" | "wrong_group" | "not_a_member" | "too_large" | "rate_limited" | "timeout" | "unavailable" | "internal";
        /**
         * @description What happened to a callout: the word in its timeline and in the audit trail. Ids go beside it, never content.
         * @enum {string}
         */
        Event: "opened" | "duplicate_offered" | "tier_paged" | "tier_empty" | "person_paged" | "outside_told" | "relaxed" | "barred" | "page_sent" | "page_failed" | "acknowledged" | "accepted" | "filled" | "declined" | "withdrew" | "eta_changed" | "en_route" | "arrived" | "with_young_person" | "handed_over" | "stood_down" | "reopened" | "called_more" | "unanswered" | "alarm_raised" | "room_linked" | "closed" | "reviewed" | "cancelled" | "merged";
        /**
         * @description Why a channel could not take a page.
         * @enum {string}
         */
        FailReason: "timeout" | "unreachable" | "rejected" | "not_connected" | "blocked_sender" | "not_configured" | "undelivered" | "no_answer" | "busy" | "voicemail" | "unknown_number" | "unverified";
        /** @description SHA-256 of a certificate's DER, in sixteen groups of four hexadecimal digits */
        Fingerprint: string;
        /** @description What an organisation and its first admin are called. */
        Found: {
            /** @description The first admin's work name. */
            admin_name: string;
            /** @description What it is. */
            kind: components["schemas"]["OrgKind"];
            /** @description The organisation's name. */
            name: string;
            /** @description The one-time token that the operator finds in the server's data directory. */
            token: components["schemas"]["Secret"];
        };
        /** @description The same for a partner. */
        FoundPartner: {
            /** @description The first admin's work name. */
            admin_name: string;
            /** @description What it is, as the invite says. */
            kind: components["schemas"]["OrgKind"];
            /** @description The host's invite link. */
            link: components["schemas"]["Secret"];
            /** @description The organisation's name. */
            name: string;
        };
        /** @description A founded organisation. */
        Founded: {
            /** @description What it is. */
            kind: components["schemas"]["OrgKind"];
            /** @description Its name. */
            name: string;
            /** @description The organisation. */
            org: components["schemas"]["OrgId"];
            /** @description Whether the host's admin has to state it first. */
            pending: boolean;
            /** @description What to print. */
            sheet: components["schemas"]["RecoverySheet"];
        };
        /** @description Whose device this is, as its verified certificates say. */
        Holder: {
            /** @description Whether this browser holds a signing key of the organisation: it can invite, approve and revoke. */
            can_sign: boolean;
            /** @description The device. */
            device: components["schemas"]["DeviceId"];
            /** @description The organisation. */
            org: components["schemas"]["OrgId"];
            /** @description What it is. */
            org_kind: components["schemas"]["OrgKind"];
            /** @description The person. */
            person: components["schemas"]["PersonId"];
            /** @description Their role. */
            role: components["schemas"]["Role"];
            /** @description Its root's fingerprint. */
            root: components["schemas"]["Fingerprint"];
            /** @description When the device's certificate ends. */
            valid_until: components["schemas"]["Timestamp"];
            /** @description Their work name. */
            work_name: string;
        };
        /**
         * @description An item of a device's inbox. Sequence numbers start at 1 and have no gaps, per device, but for one that a restored
         *     server makes: it goes on far above every place that it may have given out after the copy was made, and `prev` says so.
         */
        InboxItem: {
            /** @description When it was put there. */
            at: components["schemas"]["Timestamp"];
            /** @description What it is. */
            notice: components["schemas"]["Notice"];
            /**
             * Format: int64
             * @description The place before it, where that is not `seq - 1`. A device takes an item if its own place lies between the two.
             */
            prev?: number | null;
            /**
             * Format: int64
             * @description Place in the inbox.
             */
            seq: number;
        };
        /** @description An invite. */
        Invite: {
            /** @description When it ends. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description What it is for. */
            for: components["schemas"]["InviteFor"];
            /** @description The invite. */
            invite: components["schemas"]["InviteId"];
            link?: components["schemas"]["Secret"] | null;
            /** @description Where it stands. */
            status: components["schemas"]["InviteStatus"];
        };
        /** @description What an invite is for. */
        InviteFor: {
            /** @description A device of a person of the inviter's organisation. */
            device: {
                /** @description The person; new, or one who gets a further device (then role and work name stay theirs). */
                person: components["schemas"]["PersonId"];
                /** @description Their role. */
                role: components["schemas"]["Role"];
                /** @description Their work name. */
                work_name: string;
            };
        } | {
            /** @description A partner organisation on this server; only the host invites one. */
            organisation: {
                /** @description What it will be. */
                kind: components["schemas"]["OrgKind"];
                /** @description Its name. */
                name: string;
            };
        };
        InviteId: string;
        /** @description What an invite link is. */
        InviteInfo: {
            /** @description Whether that is where this page came from; if not, the link has to be opened there. */
            here: boolean;
            /** @description For a device, or for a partner organisation. */
            kind: components["schemas"]["InviteKind"];
            /** @description The organisation that invites. */
            org: components["schemas"]["OrgId"];
            /** @description Its root's fingerprint. */
            root: components["schemas"]["Fingerprint"];
            /** @description The server. */
            server: string;
        };
        /**
         * @description What an invite is for.
         * @enum {string}
         */
        InviteKind: "device" | "partner";
        /**
         * @description Where an invite stands.
         * @enum {string}
         */
        InviteStatus: "open" | "used" | "withdrawn" | "expired";
        /** @description What an invite is wanted for. */
        InviteWanted: {
            /** @enum {string} */
            kind: "device";
            person?: components["schemas"]["PersonId"] | null;
            /** @description Their role. */
            role: components["schemas"]["Role"];
            /** @description Their work name. */
            work_name: string;
        } | {
            /** @enum {string} */
            kind: "organisation";
            /** @description Its name. */
            name: string;
            /** @description What it will be. */
            org_kind: components["schemas"]["OrgKind"];
        };
        /** @description Invites of this organisation. */
        Invites: {
            /** @description They. */
            invites: components["schemas"]["Invite"][];
        };
        /** @description What was kept for sending. */
        Kept: {
            /** @description Its id: the one that its line, or `not_sent`, will have. */
            id: components["schemas"]["MessageId"];
        };
        Language: string;
        /** @description One line of a room's log. */
        Line: {
            /** @description When the server accepted it. */
            at: components["schemas"]["Timestamp"];
            /** @description What it says. */
            body: components["schemas"]["LineBody"];
            /** @description The message's id: what a reply names. */
            id: components["schemas"]["MessageId"];
            /** @description This device sent it. A line stands in the log, so it is delivered to the server. */
            own: boolean;
            /** @description The room. */
            room: components["schemas"]["RoomId"];
            sender?: components["schemas"]["DeviceIdentity"] | null;
            /**
             * Format: int64
             * @description Its place: what stands later has a higher one. Not every place has a line.
             */
            seq: number;
        };
        /** @description What a line says. */
        LineBody: {
            /** @enum {string} */
            kind: "text";
            reply_to?: components["schemas"]["MessageId"] | null;
            /** @description The text. */
            text: string;
        } | {
            /** @description They. */
            details: components["schemas"]["CalloutDetails"];
            /** @enum {string} */
            kind: "details";
        } | {
            /** @enum {string} */
            kind: "named";
            /** @description Its name now. */
            name: string;
        } | {
            /** @enum {string} */
            kind: "attachment";
            /** @description Its name, safe to show. */
            name: string;
            /**
             * Format: int64
             * @description Bytes.
             */
            size: number;
        } | {
            /** @enum {string} */
            kind: "ask_to_admit";
            /** @description The class. */
            org_kind: components["schemas"]["OrgKind"];
        } | {
            /** @description What they answer. */
            agrees: boolean;
            /** @description The message that asked. */
            ask: components["schemas"]["MessageId"];
            /** @enum {string} */
            kind: "answer";
        } | {
            /** @enum {string} */
            kind: "unreadable";
            /** @description Why. */
            why: components["schemas"]["UnreadableReason"];
        } | {
            /** @description Devices that came. */
            added: components["schemas"]["DeviceIdentity"][];
            /** @enum {string} */
            kind: "members";
            /** @description Devices that went. */
            removed: components["schemas"]["DeviceIdentity"][];
        } | {
            /** @enum {string} */
            kind: "joined";
            /** @description Members at that moment. */
            members: components["schemas"]["DeviceIdentity"][];
        } | {
            /**
             * Format: int64
             * @description That place.
             */
            after: number;
            /** @enum {string} */
            kind: "gap";
            why?: components["schemas"]["OutOfSyncReason"] | null;
        };
        LineId: string;
        /** @description A page of lines. */
        Lines: {
            /** @description Oldest first. */
            lines: components["schemas"]["Line"][];
            /** @description Whether there is more in the direction that was asked for. */
            more: boolean;
        };
        /** @description Which lines of a room. */
        LinesOf: {
            /**
             * Format: int64
             * @description Those after this place.
             */
            after?: number | null;
            /**
             * Format: int64
             * @description Those before this place, newest of them; with neither: the newest of all.
             */
            before?: number | null;
            /**
             * Format: int32
             * @description At most so many: 1 to 200.
             */
            limit: number;
            /** @description The room. */
            room: components["schemas"]["RoomId"];
        };
        /** @description An invite link. */
        LinkText: {
            /** @description As it was given, whole. */
            link: components["schemas"]["Secret"];
        };
        /** @description An invite that was made. */
        MadeInvite: {
            /** @description When it ends. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description The invite. */
            invite: components["schemas"]["InviteId"];
            /** @description Whoever has it may join, once. For a QR code, or another way that is not this server. */
            link: components["schemas"]["Secret"];
        };
        /** @description An invite to make. */
        MakeInvite: {
            /** @description What for. */
            for: components["schemas"]["InviteWanted"];
            /**
             * Format: int32
             * @description How many hours it lasts: at most 336.
             */
            hours: number;
        };
        /** @description A member's device. */
        Member: {
            /** @description Who, from the chain that this device has verified: device, signer, root. */
            identity: components["schemas"]["DeviceIdentity"];
            /** @description This very device. */
            own: boolean;
            /** @description Its certificate is revoked: it is being removed, and nothing is sent until it is gone. */
            revoked: boolean;
        };
        MessageId: string;
        /** @description Something that happens by itself at a known time. */
        NextAction: {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            person?: components["schemas"]["PersonId"] | null;
            /** @description What. */
            what: components["schemas"]["NextStep"];
        };
        /**
         * @description What happens next, by itself, if nobody does anything.
         * @enum {string}
         */
        NextStep: "page_backup" | "page_supervisor" | "page_primary" | "page_person" | "tell_outside" | "page_everyone" | "relax" | "call_again" | "call_everyone_again" | "check_movement" | "check_arrival" | "check_review";
        /** @description No argument, or an answer that says only that it is done. */
        Nothing: Record<string, never>;
        /** @description What the server tells one device. None of it is content. */
        Notice: {
            /** @description The device was added to a room: fetch the Welcome of this epoch, then read the log after `seq`. */
            welcome: {
                /**
                 * Format: int64
                 * @description Epoch of the Welcome.
                 */
                epoch: number;
                /** @description Room. */
                room: components["schemas"]["RoomId"];
                /**
                 * Format: int64
                 * @description Where reading starts.
                 */
                seq: number;
            };
        } | {
            /** @description The device is no longer a member of a room; no entry after `seq` will come. */
            room_left: {
                /** @description Room. */
                room: components["schemas"]["RoomId"];
                /**
                 * Format: int64
                 * @description Last entry that the device could read.
                 */
                seq: number;
            };
        } | {
            /** @description Duty: respond. The page of one callout. */
            page: {
                /**
                 * Format: int32
                 * @description 1 for the first call of this person, then counting up.
                 */
                attempt: number;
                /** @description Callout. */
                callout: components["schemas"]["CalloutId"];
                /** @description Page id; answered with a `page_seen` frame. */
                page: components["schemas"]["PageId"];
                /** @description Whether it is a drill; absent: it is real. */
                purpose?: components["schemas"]["Purpose"];
            };
        } | {
            /** @description No longer needed: stop the sound and the visible alarm together. */
            stand_down: {
                /** @description Callout. */
                callout: components["schemas"]["CalloutId"];
            };
        } | {
            /** @description A callout as this person may see it, after each change. */
            callout: {
                /** @description The projection. */
                view: components["schemas"]["CalloutView"];
            };
        } | {
            /** @description Something that a person must hear of. */
            alarm: {
                /** @description What. */
                alarm: components["schemas"]["Alarm"];
                /** @description Callout. */
                callout: components["schemas"]["CalloutId"];
            };
        } | {
            /** @description Something that a supervisor has to look at, which belongs to no single callout. */
            attention: {
                /** @description What. */
                about: components["schemas"]["Attention"];
            };
        } | {
            /** @description Another agency's notice of a callout: the first, a reminder, or a change of it. To people of that agency alone. */
            agency_notice: {
                page?: components["schemas"]["PageId"] | null;
                /** @description All that they see of the callout. */
                view: components["schemas"]["AgencyNoticeView"];
            };
        } | {
            /** @description This person goes on duty, or off. */
            hand_off: {
                /** @description On duty from now on; else off duty. */
                on: boolean;
                /** @description In which tier. */
                tier: components["schemas"]["Tier"];
                until?: components["schemas"]["Timestamp"] | null;
                /** @description Going on: from whom; going off: to whom. */
                with: components["schemas"]["PersonId"][];
                zone?: components["schemas"]["Code"] | null;
            };
        } | {
            /** @description Devices that may be in this device's rooms were revoked: fetch the organisation's list and remove them. */
            revoked: {
                /** @description The revoked devices. */
                devices: components["schemas"]["DeviceId"][];
                /** @description Organisation whose list changed. */
                org: components["schemas"]["OrgId"];
            };
        } | {
            /** @description Members whom dispatch asks the room to remove: stood down, or no longer on the callout. */
            remove_from_room: {
                /** @description Devices to remove; idempotent. */
                devices: components["schemas"]["DeviceId"][];
                /** @description Room. */
                room: components["schemas"]["RoomId"];
            };
        } | {
            /** @description Duty: test. Confirm that this reached you: `POST /v1/readiness/{check}/confirm`. A test is never a callout. */
            test: {
                /**
                 * Format: int32
                 * @description 1 for the first test of this check, then counting up.
                 */
                attempt: number;
                /** @description The check. */
                check: components["schemas"]["CheckId"];
            };
        } | {
            /** @description Somebody on duty, or about to be, turned red on the readiness board, or is no longer red; for supervisors. */
            readiness: {
                /** @description Where they stand now. */
                level: components["schemas"]["ReadinessLevel"];
                /** @description Who. */
                person: components["schemas"]["PersonId"];
            };
        } | {
            /** @description A signing request or a partner's founding request waits for an admin. */
            request_pending: Record<string, never>;
        } | {
            /** @description Nobody fetched what stood here for as long as the server keeps it. It holds the place: the sequence has no gaps. */
            expired: Record<string, never>;
        };
        /** @description One attempt to notify one person of an agency. */
        NoticePage: {
            /**
             * Format: int32
             * @description The how-manieth attempt to reach this person about this callout, from 1.
             */
            attempt: number;
            /** @description How. */
            channel: components["schemas"]["Channel"];
            delivered_at?: components["schemas"]["Timestamp"] | null;
            failed?: components["schemas"]["FailReason"] | null;
            handed_over_at?: components["schemas"]["Timestamp"] | null;
            /** @description The attempt's id; also the idempotency key that its channel got. */
            id: components["schemas"]["PageId"];
            /** @description When the engine ordered it. */
            ordered_at: components["schemas"]["Timestamp"];
            /** @description Who was notified. */
            person: components["schemas"]["PersonId"];
        };
        /** @description What the server has told this device. */
        Notices: {
            /** @description Oldest first. */
            items: components["schemas"]["InboxItem"][];
        };
        /** @description Which callout. */
        OfCallout: {
            /** @description The callout. */
            callout: components["schemas"]["CalloutId"];
        };
        /** @description Which device. */
        OfDevice: {
            /** @description The device. */
            device: components["schemas"]["DeviceId"];
        };
        /** @description Which invite. */
        OfInvite: {
            /** @description The invite. */
            invite: components["schemas"]["InviteId"];
        };
        /** @description Which message of this device's. */
        OfMessage: {
            /** @description Its id. */
            id: components["schemas"]["MessageId"];
        };
        /** @description Which organisation. */
        OfOrg: {
            /** @description The organisation. */
            org: components["schemas"]["OrgId"];
        };
        /** @description Which room. */
        OfRoom: {
            /** @description The room. */
            room: components["schemas"]["RoomId"];
        };
        /** @description A callout to open. */
        OpenCalloutWith: {
            /** @description What only the room's members read. */
            details?: components["schemas"]["CalloutDetails"];
            /** @description Real, or a drill. */
            purpose?: components["schemas"]["Purpose"];
            /** @description What the server reads. */
            routing: components["schemas"]["Routing"];
        };
        OrgId: string;
        /**
         * @description What an organisation is; it fixes which roles its certificates may carry.
         * @enum {string}
         */
        OrgKind: "victim_services" | "law_enforcement" | "child_welfare" | "probation" | "prosecution" | "care";
        /**
         * @description Why a room can't be followed.
         * @enum {string}
         */
        OutOfSyncReason: "bad_commit" | "untrusted_member" | "forbidden_commit" | "unseen_consent" | "log_expired" | "lost_state" | "server_forgot";
        /** @description The after-action record. */
        Outcome: {
            /** @description When the callout was closed. */
            closed_at: components["schemas"]["Timestamp"];
            /**
             * Format: int32
             * @description How many kits were given.
             */
            kits_given: number;
            /** @description Reason codes of closing and review. */
            reasons?: components["schemas"]["OutcomeReason"][];
            reviewed_at?: components["schemas"]["Timestamp"] | null;
            /** @description Whether support was accepted. */
            support: components["schemas"]["Support"];
            welfare?: components["schemas"]["Welfare"] | null;
        };
        /**
         * @description Reason codes of the after-action record; they are counted, never written out.
         * @enum {string}
         */
        OutcomeReason: "called_late" | "wrong_address" | "no_language_match" | "duplicate" | "unanswered" | "left_before_arrival" | "scene_not_safe" | "other_service";
        PageId: string;
        /** @description One page, as a supervisor sees it. */
        PageView: {
            answered_at?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int32
             * @description The how-manieth call to this person in this callout, from 1.
             */
            attempt: number;
            /** @description How. */
            channel: components["schemas"]["Channel"];
            delivered_at?: components["schemas"]["Timestamp"] | null;
            failed?: components["schemas"]["FailReason"] | null;
            handed_over_at?: components["schemas"]["Timestamp"] | null;
            /** @description The page; also the idempotency key that its channel got. */
            id: components["schemas"]["PageId"];
            /** @description When the engine ordered it. */
            ordered_at: components["schemas"]["Timestamp"];
            /** @description Who was called. */
            person: components["schemas"]["PersonId"];
            /** @description In which tier. */
            tier: components["schemas"]["Tier"];
        };
        /** @description A passkey's part in unlocking. */
        Passkey: {
            /** @description The credential's id. */
            credential: components["schemas"]["Bytes"];
            /** @description The input of its PRF extension: 32 random bytes, made when the passkey was. */
            salt: components["schemas"]["Bytes"];
            /** @description What its PRF extension answered: 32 bytes in base64url. */
            secret: components["schemas"]["Secret"];
        };
        /** @description What to ask an authenticator for. */
        PasskeyHint: {
            /** @description The credential's id. */
            credential: components["schemas"]["Bytes"];
            /** @description The input of its PRF extension. */
            salt: components["schemas"]["Bytes"];
        };
        /** @description A device that wants a certificate. */
        PendingDevice: {
            /** @description When the request arrived. */
            at: components["schemas"]["Timestamp"];
            /** @description The device. */
            device: components["schemas"]["DeviceId"];
            person?: components["schemas"]["PersonId"] | null;
            /** @description Why it can't be signed here, in a sentence; absent: it can. */
            problem?: string | null;
            role?: components["schemas"]["Role"] | null;
            /** @description Their work name. */
            work_name?: string | null;
        };
        /** @description A partner that wants to be stated. */
        PendingPartner: {
            /** @description What it is. */
            kind: components["schemas"]["OrgKind"];
            /** @description Its name, from its root certificate where that could be checked. */
            name: string;
            /** @description The organisation. */
            org: components["schemas"]["OrgId"];
            /** @description Why it can't be stated here, in a sentence; absent: it can. */
            problem?: string | null;
            /** @description Its root's fingerprint, to be compared over the telephone. */
            root: components["schemas"]["Fingerprint"];
        };
        /** @description What waits for this admin. */
        PendingRequests: {
            /** @description Devices that want a certificate. */
            devices: components["schemas"]["PendingDevice"][];
            /** @description Partner organisations that want to be stated; for the host's admins. */
            partners: components["schemas"]["PendingPartner"][];
        };
        /** @description People of this organisation. */
        People: {
            /** @description By work name. */
            people: components["schemas"]["Person"][];
        };
        /** @description People and a room. */
        PeopleOf: {
            /** @description The people. */
            people: components["schemas"]["PersonId"][];
            /** @description The room. */
            room: components["schemas"]["RoomId"];
        };
        /** @description A person. */
        Person: {
            /** @description Their devices. */
            devices: components["schemas"]["PersonDevice"][];
            /** @description Id. */
            person: components["schemas"]["PersonId"];
            /** @description Role. */
            role: components["schemas"]["Role"];
            /** @description Work name. */
            work_name: string;
        };
        /** @description A person's device. */
        PersonDevice: {
            /** @description Id. */
            device: components["schemas"]["DeviceId"];
            /** @description When it was enrolled. */
            enrolled_at: components["schemas"]["Timestamp"];
            last_seen_at?: components["schemas"]["Timestamp"] | null;
            /** @description This very device. */
            own: boolean;
            problem?: components["schemas"]["Problem"] | null;
            revoked_at?: components["schemas"]["Timestamp"] | null;
        };
        PersonId: string;
        Phone: string;
        /**
         * @description Whom a young person would rather talk to. It orders and informs, it never keeps somebody from being paged.
         * @enum {string}
         */
        Preference: "any" | "woman" | "man";
        /** @description An error answer: `application/problem+json` over HTTP, the same fields in a `refused` frame on the websocket. */
        Problem: {
            /** @description The stable code. */
            code: components["schemas"]["ErrorCode"];
            /** @description What exactly, and what to do now; absent where the title says it all. Never quotes content. */
            detail?: string | null;
            /**
             * Format: int64
             * @description Milliseconds to wait before trying again, where that makes sense.
             */
            retry_after_ms?: number | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description What happened, in a plain sentence. */
            title: string;
        };
        /**
         * @description Why a callout was opened. Everything but a real one is marked on every surface and counts in no figure.
         * @enum {string}
         */
        Purpose: "real" | "drill" | "canary";
        /** @description An alarm and when it was raised. */
        RaisedAlarm: {
            /** @description What. */
            alarm: components["schemas"]["Alarm"];
            /** @description When. */
            at: components["schemas"]["Timestamp"];
        };
        /**
         * @description Whether a page would reach somebody, as far as the server can know.
         * @enum {string}
         */
        ReadinessLevel: "green" | "amber" | "red";
        /** @description What an admin prints and locks away. Whoever has it can sign for the organisation. */
        RecoverySheet: {
            host_root?: components["schemas"]["Fingerprint"] | null;
            /** @description The organisation. */
            org: components["schemas"]["OrgId"];
            /** @description The root certificate's fingerprint: to compare over the telephone. */
            root: components["schemas"]["Fingerprint"];
            /** @description The root certificate, DER in base64url: the key's other half. */
            root_certificate: components["schemas"]["Bytes"];
            /** @description The root key: 64 hexadecimal digits in groups of four. */
            root_key: components["schemas"]["Secret"];
            /** @description The server. */
            server: string;
        };
        /**
         * @description One responder's part in one callout.
         * @enum {string}
         */
        ResponderState: "paged" | "acknowledged" | "accepted" | "en_route" | "arrived" | "with_young_person" | "handed_over" | "declined" | "withdrew" | "stood_down";
        /** @description One responder. */
        ResponderView: {
            eta_at?: components["schemas"]["Timestamp"] | null;
            /** @description Who. */
            person: components["schemas"]["PersonId"];
            /** @description Whether they are whom the young person would rather talk to; supervisors only. */
            preferred?: boolean | null;
            /** @description Whether they serve the zone; supervisors only. */
            serves_zone?: boolean | null;
            /** @description Whether they speak one of the languages; supervisors only. */
            speaks?: boolean | null;
            /** @description How far they are. */
            state: components["schemas"]["ResponderState"];
            tier?: components["schemas"]["Tier"] | null;
            /** @description Whether they have had all the training that was asked for; supervisors only. */
            trained?: boolean | null;
            /** @description The name they work under; absent when they have left the organisation. */
            work_name?: string | null;
        };
        /** @description Devices to revoke. */
        Revoke: {
            /** @description They. */
            devices: components["schemas"]["DeviceId"][];
        };
        /**
         * @description What a device's certificate says its holder may do.
         * @enum {string}
         */
        Role: "police_officer" | "watch_commander" | "agent" | "advocate" | "supervisor" | "caseworker" | "child_welfare_worker" | "probation_officer" | "prosecutor" | "interpreter" | "care_staff" | "admin";
        /** @description One room. */
        Room: {
            /** @description Open questions to let another class of organisation in, oldest first. */
            asks: components["schemas"]["Ask"][];
            /**
             * Format: int64
             * @description How many changes of members it has seen.
             */
            epoch: number;
            /** @description Members' devices, this one included, each with verified certificates. */
            members: components["schemas"]["Member"][];
            out_of_sync?: components["schemas"]["OutOfSyncReason"] | null;
            /**
             * Format: int32
             * @description The MLS ciphersuite.
             */
            suite: number;
            /** @description As in the list. */
            summary: components["schemas"]["RoomRow"];
            /** @description Own messages that are not on the server yet, oldest first. */
            unsent: components["schemas"]["Unsent"][];
        };
        RoomId: string;
        /**
         * @description What a room is for; the kind fixes which roles may be members, for the whole life of the room.
         * @enum {string}
         */
        RoomKind: "callout" | "advocate" | "case_team" | "operation" | "agency";
        /** @description One kind of room. */
        RoomKindInfo: {
            /** @description Who may be a member. */
            admits: components["schemas"]["Admitted"][];
            /** @description Whether somebody of law enforcement could ever be in it. */
            admits_police: boolean;
            /** @description The kind. */
            kind: components["schemas"]["RoomKind"];
            /** @description Whether this person may create one and be in it. */
            may_create: boolean;
            /** @description Whether all members belong to one organisation. */
            single_org: boolean;
            /** @description Whether it takes two people to let another class of organisation in. */
            takes_two: boolean;
        };
        /** @description The kinds of rooms. */
        RoomKinds: {
            /** @description They. */
            kinds: components["schemas"]["RoomKindInfo"][];
        };
        /** @description A room in a list. */
        RoomRow: {
            callout?: components["schemas"]["CalloutId"] | null;
            /** @description What it is for. */
            kind: components["schemas"]["RoomKind"];
            last?: components["schemas"]["Line"] | null;
            /** @description The name that a member gave it. */
            name?: string | null;
            /** @description The organisation that it belongs to. */
            org: components["schemas"]["OrgId"];
            /**
             * Format: int32
             * @description How many people are members.
             */
            people: number;
            /** @description Whether somebody of law enforcement can read it now. */
            police_can_read: boolean;
            /** @description The room. */
            room: components["schemas"]["RoomId"];
            /** @description Where it stands on this device. */
            state: components["schemas"]["RoomStanding"];
            /**
             * Format: int32
             * @description Messages of others that nobody has seen here.
             */
            unread: number;
        };
        /**
         * @description Where a room stands on this device.
         * @enum {string}
         */
        RoomStanding: "creating" | "joined" | "out_of_sync" | "rejoining" | "left";
        /** @description All rooms of this device. */
        Rooms: {
            /** @description Newest activity first. */
            rooms: components["schemas"]["RoomRow"][];
        };
        /** @description The routing fields of a callout: all that the server learns, and all that a page is decided by. */
        Routing: {
            /** @description Their age band. */
            age_band: components["schemas"]["AgeBand"];
            /** @description The number to call the officer back on. */
            call_back: components["schemas"]["Phone"];
            /** @description Whether emergency services are needed as well. */
            emergency_needed: boolean;
            /** @description When the officer first met the young person; shows late calling. */
            first_contact_at: components["schemas"]["Timestamp"];
            /** @description Languages to match, best first; at most [`MAX_LANGUAGES`]. Empty: any. */
            languages?: components["schemas"]["Language"][];
            /** @description Whom they would rather talk to. */
            preference: components["schemas"]["Preference"];
            /** @description Whether the scene is safe for a responder. */
            scene_safe: boolean;
            site?: components["schemas"]["Code"] | null;
            /** @description Training that a responder should have had, as the organisation's own codes; at most [`MAX_TRAINING`], each of them. */
            training?: components["schemas"]["Code"][];
            /**
             * Format: int32
             * @description How many responders are wanted, 1 to [`MAX_WANTED`].
             */
            wanted: number;
            /**
             * Format: int32
             * @description How many young people, 1 to [`MAX_YOUNG_PEOPLE`].
             */
            young_people: number;
            /** @description The zone, as one of the organisation's codes. */
            zone: components["schemas"]["Code"];
        };
        /** @description What two people compare to be sure that they are in the same room with the same members. */
        SafetyNumber: {
            /**
             * Format: int64
             * @description The epoch that it is for: it changes with the members.
             */
            epoch: number;
            /** @description Six groups of five digits. */
            number: string;
        };
        Secret: string;
        /** @description A text to send. */
        Send: {
            reply_to?: components["schemas"]["MessageId"] | null;
            /** @description The room. */
            room: components["schemas"]["RoomId"];
            /** @description The text: at most 32 KiB. */
            text: string;
        };
        /** @description Details to send. */
        SendDetails: {
            /** @description The callout. */
            callout: components["schemas"]["CalloutId"];
            /** @description They. */
            details: components["schemas"]["CalloutDetails"];
        };
        /** @description When to lock. */
        SetLockAfter: {
            /**
             * Format: int32
             * @description Idle minutes: 1 to 30.
             */
            minutes: number;
        };
        /** @description A new passphrase. */
        SetPassphrase: {
            /** @description What unlocks the store now. */
            current: components["schemas"]["Unlocking"];
            /** @description The new one. */
            passphrase: components["schemas"]["Secret"];
        };
        /** @description How this browser stands. */
        Status: {
            /** @description While unlocked: whether the live connection stands. */
            connected?: boolean;
            /** @description While unlocked: the duty number that this device saw last. */
            duty_number?: string | null;
            enrolment?: components["schemas"]["Enrolment"] | null;
            /**
             * Format: int32
             * @description While unlocked: after how many idle minutes it locks.
             */
            lock_after_minutes?: number | null;
            me?: components["schemas"]["Holder"] | null;
            /** @description What can be done now. */
            state: components["schemas"]["BrowserState"];
            unlock?: components["schemas"]["UnlockWays"] | null;
        };
        /** @description Where an escalation stands: "step 2 of 4". */
        StepView: {
            /**
             * Format: int32
             * @description The step that was called last, from 1.
             */
            number: number;
            /**
             * Format: int32
             * @description Of how many.
             */
            of: number;
            /**
             * Format: int32
             * @description The how-manieth walk through all steps this is, from 1; more than `rounds` in the slow rounds after them.
             */
            round: number;
            /**
             * Format: int32
             * @description How often all steps are walked before the slow rounds.
             */
            rounds: number;
        };
        /**
         * @description Whether the young person took the support that was offered. Never a condition of anything.
         * @enum {string}
         */
        Support: "accepted" | "declined_for_now" | "not_offered";
        /**
         * @description Who is called in which order. The first three come from the rota.
         * @enum {string}
         */
        Tier: "primary" | "backup" | "supervisor" | "everyone" | "named";
        /** @description One line of a callout's history. */
        TimelineEntry: {
            alarm?: components["schemas"]["Alarm"] | null;
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            constraint?: components["schemas"]["Constraint"] | null;
            /** @description What. */
            event: components["schemas"]["Event"];
            person?: components["schemas"]["PersonId"] | null;
            /**
             * Format: int32
             * @description The step of the escalation that it concerns, from 1; supervisors only.
             */
            step?: number | null;
            tier?: components["schemas"]["Tier"] | null;
        };
        /**
         * Format: int64
         * @description A moment, in milliseconds since 1970-01-01T00:00:00Z. Local time exists only in rotas (see [`crate::rota`]).
         */
        Timestamp: number;
        /** @description How a store can be unlocked. */
        UnlockWays: {
            /**
             * Format: int32
             * @description Failed attempts since the last good one.
             */
            failures: number;
            locked_until?: components["schemas"]["Timestamp"] | null;
            passkey?: components["schemas"]["PasskeyHint"] | null;
            /** @description By passphrase. */
            passphrase: boolean;
        };
        /** @description What opens a store. */
        Unlocking: {
            /** @enum {string} */
            by: "passphrase";
            /** @description What the person typed. */
            passphrase: components["schemas"]["Secret"];
        } | (components["schemas"]["Passkey"] & {
            /** @enum {string} */
            by: "passkey";
        });
        /**
         * @description Why a message can't be shown.
         * @enum {string}
         */
        UnreadableReason: "bad_bytes" | "untrusted_sender" | "newer_version" | "own_unknown";
        /** @description An own message that the server does not have. */
        Unsent: {
            /** @description When it was written. */
            at: components["schemas"]["Timestamp"];
            /** @description Its id. */
            id: components["schemas"]["MessageId"];
            refused?: components["schemas"]["Problem"] | null;
            /** @description Its room. */
            room: components["schemas"]["RoomId"];
            /** @description What was wanted. */
            what: components["schemas"]["UnsentKind"];
        };
        /** @description What was wanted. */
        UnsentKind: {
            /** @enum {string} */
            kind: "text";
            reply_to?: components["schemas"]["MessageId"] | null;
            /** @description The text. */
            text: string;
        } | {
            /** @description They. */
            details: components["schemas"]["CalloutDetails"];
            /** @enum {string} */
            kind: "details";
        } | {
            /** @enum {string} */
            kind: "named";
            /** @description It. */
            name: string;
        } | {
            /** @enum {string} */
            kind: "attachment";
            /** @description Its name. */
            name: string;
            /**
             * Format: int64
             * @description Bytes.
             */
            size: number;
        } | {
            /** @enum {string} */
            kind: "ask_to_admit";
            /** @description The class. */
            org_kind: components["schemas"]["OrgKind"];
        } | {
            /** @description It. */
            agrees: boolean;
            /** @enum {string} */
            kind: "answer";
        } | {
            /** @enum {string} */
            kind: "create";
        } | {
            /** @description Their devices. */
            devices: components["schemas"]["DeviceId"][];
            /** @enum {string} */
            kind: "add";
        } | {
            /** @description Their devices. */
            devices: components["schemas"]["DeviceId"][];
            /** @enum {string} */
            kind: "remove";
        } | {
            /** @enum {string} */
            kind: "keys";
        };
        /**
         * @description How the responder is afterwards.
         * @enum {string}
         */
        Welfare: "not_asked" | "well" | "follow_up";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
