// Package account is the accounts that this user sends from: the configuration
// that `yan login` writes, and everything that is needed to send through one of
// them.
//
//	client, err := account.Open(ctx, "")      // the default account
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//
// In the order in which they are used:
//
//   - [Path] is where the configuration is, [Load] reads it into a [File]. An
//     unknown key is an error that names the nearest known one.
//   - [File.Choose] picks the [Account] by its name, by the sender's address, or
//     takes the default.
//   - [File.Put], [File.Remove] and [File.SetDefault] change it, comments and
//     order staying what they are; [File.Save] writes it whole or not at all.
//   - [File.Outbox] is where messages wait, for package outbox.
//   - [Account.Options] returns the options of yan.Open, with the password of
//     [SystemSecrets] or of a program's own [Secrets].
//   - [Account.Mailbox] and [Account.OAuth2Client] say where its Sent folder and its
//     authorization server are.
//
// No secret stands in the configuration; [Secret] says where it is.
package account
