// Package foreign reads how other programs are set up to send mail, so that
// their accounts can become accounts of this one.
//
// A [Machine] knows where [Program]s keep their settings. [Machine.Usual] lists
// the places, [Machine.Look] reads what is there into [Settings]: the accounts
// that were [Found], and as a [Note] with file, line and [Reason] everything
// that was not taken over. Nothing is skipped in silence, nothing that weakens
// the protection of a password is taken over, and no command is run.
//
// A password that stands there in clear is kept apart from the account, in a
// [Password] that does not print itself: it belongs into the keyring.
//
// There is a file for each program: msmtp.go, mutt.go, git.go, ssmtp.go. Their
// settings are tables; finish.go makes accounts of what they collect.
package foreign
