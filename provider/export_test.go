package provider

import "slices"

// Statuses lists all statuses, best first.
func Statuses() []Status { return []Status{Official, Verified, ISPDB, Reported, Unverified} }

// TLSModes lists all modes.
func TLSModes() []TLSMode {
	return []TLSMode{Implicit, StartTLS, NoTLS, NoneOrStartTLS, UnknownTLS}
}

// AuthKinds lists all kinds.
func AuthKinds() []AuthKind {
	return []AuthKind{AuthorizationCode, AppPassword, Password, PasswordOrAppPassword, OAuth2Only,
		OAuth2OrAppPassword, OAuth2OrPassword, APIKey, SMTPCredentials, SMTPKey, SMTPPassword, UnknownSecret}
}

// SenderRules lists all rules.
func SenderRules() []SenderRule {
	return []SenderRule{MustEqualLogin, MustEqualLoginOrSendAs, VerifiedIdentity, AliasOK, UnknownSenderRule}
}

// Traits lists all traits.
func Traits() []Trait {
	return []Trait{FrameAfterQuit, HangsUpAfterFailedAuth, ChecksFromHeader, ComparesFromHeader,
		RepliesInGBK, StartTLSInsideTLS, LowerCasePrompts, MaybeNoPipelining, NeedsDateAndMessageID,
		SecretShownWithSpaces, SecretOf16Letters, KeepsSentCopy, NewMessageID, SelfSigned, IdempotencyHeader, NoCc, NeedsTLS12}
}

// MXRules lists the rules of [ByMX]; the first match wins.
func MXRules() []MXRule { return slices.Clone(mxRules) }
