package smtp

// Stage is a step of a session. The values are stable words, used in JSON and in documents.
type Stage string

// The stages in the order of a message.
const (
	StageConnect  Stage = "connect"  // DNS and TCP
	StageTLS      Stage = "tls"      // the handshake, implicit or after STARTTLS
	StageGreeting Stage = "greeting" // the server's 220
	StageHello    Stage = "ehlo"     // EHLO, HELO or LHLO
	StageStartTLS Stage = "starttls" // the command and its reply
	StageAuth     Stage = "auth"
	StageMail     Stage = "mail" // MAIL FROM
	StageRcpt     Stage = "rcpt" // RCPT TO
	StageData     Stage = "data" // the DATA command, up to its 354
	StageBody     Stage = "body" // the message and the reply to its end (final dot or BDAT LAST)
	StageReset    Stage = "reset"
	StageQuit     Stage = "quit"
)

// Stages lists all stages in order.
func Stages() []Stage {
	return []Stage{StageConnect, StageTLS, StageGreeting, StageHello, StageStartTLS, StageAuth,
		StageMail, StageRcpt, StageData, StageBody, StageReset, StageQuit}
}

// BeforeMail reports whether a stage comes before MAIL, so that the server knows nothing of the
// message yet. QUIT does not: it follows the final reply, after which outcomes don't change.
func (s Stage) BeforeMail() bool {
	switch s {
	case StageConnect, StageTLS, StageGreeting, StageHello, StageStartTLS, StageAuth:
		return true
	}
	return false
}
