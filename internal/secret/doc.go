// Package secret reads and stores the secrets of accounts.
//
//   - A [Source] says where a secret is: in the system's keyring (the zero Source), in a file, the
//     output of a command, an environment variable, a netrc file, or a systemd credential.
//   - A [Vault] is the set of these places on one machine. [Vault.Get] reads a secret. [Vault.Set]
//     stores one in the keyring or, on a machine without a keyring, in an encrypted file.
//     [Vault.Delete] deletes it. [Trim] removes characters that are often pasted along with a
//     secret.
//   - Errors are of type [*Error] with a [Problem], so that the command line can advise the user in
//     the user's language.
//
// No secret is ever in an error, and none is logged. Creating a Vault and calling [System] have no
// side effects: nothing is read or connected to before Get, Set or Delete.
//
// In the source, read.go reads the sources that are files, command.go and netrc.go the sources of
// these names. keyring.go calls the system's keyring, chunked.go splits secrets that are too long
// for it, and system_*.go choose it. sealed.go encrypts the file, vaultfile.go reads and changes
// it, names.go lists which of its secrets are valid, and passphrase.go gets its passphrase.
package secret
