package provider

// Trait is a behaviour of a provider that a client must consider, or that an imitation must have.
type Trait string

// The traits.
const (
	// FrameAfterQuit: the reply to QUIT or RSET may be 16 bytes of binary frame and then "221
	// Bye."; the message was accepted all the same.
	FrameAfterQuit Trait = "frame_after_quit"
	// HangsUpAfterFailedAuth: the connection closes right after the 535; keep that reply and do not
	// try a second mechanism.
	HangsUpAfterFailedAuth Trait = "hangs_up_after_failed_auth"
	// ChecksFromHeader: a message whose From header is missing or encoded as a whole is refused at
	// its end.
	ChecksFromHeader Trait = "checks_from_header"
	// ComparesFromHeader: the From header must be the login, too, not only the envelope's sender.
	ComparesFromHeader Trait = "compares_from_header"
	// RepliesInGBK: older servers send text in GBK.
	RepliesInGBK Trait = "replies_in_gbk"
	// StartTLSInsideTLS: EHLO lists STARTTLS on an encrypted connection.
	StartTLSInsideTLS Trait = "starttls_inside_tls"
	// LowerCasePrompts: AUTH LOGIN asks "username:" where others ask "Username:".
	LowerCasePrompts Trait = "lower_case_prompts"
	// MaybeNoPipelining: some nodes do not offer PIPELINING.
	MaybeNoPipelining Trait = "maybe_no_pipelining"
	// NeedsDateAndMessageID: a message without them is accepted and then silently dropped.
	NeedsDateAndMessageID Trait = "needs_date_and_message_id"
	// SecretShownWithSpaces: the web page shows the secret in groups; the spaces are not part of
	// it.
	SecretShownWithSpaces Trait = "secret_shown_with_spaces"
	// SecretOf16Letters: every authorization code or app password is 16 letters.
	SecretOf16Letters Trait = "secret_of_16_letters"
	// KeepsSentCopy: mail sent over SMTP is stored in the Sent folder.
	KeepsSentCopy Trait = "keeps_sent_copy"
	// NewMessageID: mail sent over SMTP gets a new Message-ID, so it is not found in the Sent
	// folder by its original one.
	NewMessageID Trait = "new_message_id"
	// SelfSigned: the certificate is self-signed; it needs a CA file or a pin, never a skipped
	// check.
	SelfSigned Trait = "self_signed"
	// IdempotencyHeader: with a certain header, a message that is sent twice arrives once.
	IdempotencyHeader Trait = "idempotency_header"
	// NoCc: Cc and Bcc are not supported.
	NoCc Trait = "no_cc"
	// NeedsTLS12: the servers do not support TLS 1.3, so TLS 1.2 and its older ciphers must stay
	// allowed.
	NeedsTLS12 Trait = "needs_tls12"
)

// Has reports whether the provider has the trait, regardless of its status in [Provider.Traits].
func (p Provider) Has(t Trait) bool {
	_, ok := p.Traits[t]
	return ok
}

// JoinsSecret reports whether spaces inside the secret are not part of it: the web page shows it in
// groups, or it is an authorization code, which has letters and digits only.
func (p Provider) JoinsSecret() bool {
	return p.Has(SecretShownWithSpaces) || p.Auth.Kind == AuthorizationCode
}
