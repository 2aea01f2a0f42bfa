// Package secret finds the secrets of accounts where they are kept, and keeps
// those that it is given.
//
//   - A [Source] says where a secret is: in the system's keyring (the zero
//     Source), in a file, the output of a command, a variable, a netrc file, or
//     a systemd credential.
//   - A [Vault] is the places on this machine. [Vault.Get] reads a secret,
//     [Vault.Set] keeps one in the keyring or, where the machine has none, in an
//     encrypted file; [Vault.Delete] forgets it. [Trim] takes off what is pasted
//     along with a secret.
//   - What goes wrong is an [*Error] with its [Problem], so that the command line
//     can say in the user's language what to do.
//
// No secret is ever in an error, and none is logged. Nothing is touched before
// Get, Set or Delete is called: making a Vault and [System] cost nothing.
//
// Inside, read.go has the sources that are files, command.go and netrc.go those
// of these names; keyring.go waits for the system's keyring, pieces.go cuts what
// it can't take whole, system_*.go say what it is; sealed.go is the encrypted
// file, vaultfile.go how a Vault reads and changes it, names.go what of it
// counts, passphrase.go where its passphrase comes from.
package secret
