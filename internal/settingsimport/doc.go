// Package settingsimport reads the settings with which other programs send mail, so that their accounts
// can be imported.
//
// A [Machine] knows where [Program]s keep their settings. [Machine.UsualPlaces] lists the places and
// [Machine.Load] reads the files into [Settings]: the accounts ([FoundAccount]), and for everything that
// was not imported a [Note] with file, line and [Reason]. No setting is skipped silently, no
// setting that weakens the protection of a password is imported, and no command is run.
//
// A password in clear text is returned in a [Password], which does not print itself, separate from
// the account: it belongs in the keyring.
//
// There is a file for each program: msmtp.go, mutt.go, git.go, ssmtp.go. Their settings are tables;
// finish.go builds accounts from the settings collected.
package settingsimport
