"""aiosmtpd's mailbox, which answers recipients as the file `replies` beside it says: one line each, then as always."""

from pathlib import Path

from aiosmtpd.handlers import Mailbox


class Strict(Mailbox):
    def __init__(self, mail_dir):
        super().__init__(mail_dir)
        self.replies = Path(mail_dir).parent / "replies"

    async def handle_RCPT(self, server, session, envelope, address, options):
        lines = self.replies.read_text().splitlines() if self.replies.exists() else []
        if lines:
            self.replies.write_text("\n".join(lines[1:]))
            return lines[0]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"
