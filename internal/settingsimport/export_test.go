package settingsimport

// Reasons lists all reasons.
func Reasons() []Reason {
	return []Reason{Plaintext, NoSecret, NoSender, Spelled, Renamed, ImplicitS, NoCounterpart, Differs, Always, Fits, ProtectionOff, Unknown,
		BadValue, Runs, Mechanism, Unused, Conditional, OtherUser, OtherMatter, LocalProgram, NoServer, Unreadable, TooDeep, Syntax}
}
