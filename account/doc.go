// Package account reads and changes the user's accounts: the configuration that `yan login`
// writes, and everything needed to send through one of them.
//
// client, err := account.Open(ctx, "")      // the default account
// if err != nil {
// return err
// }
// defer client.Close()
//
// An overview, in the order of use:
//
//   - [Path] returns the path of the configuration, [Load] reads it into a [File]. An
//     unknown key is an error that names the nearest known one.
//   - [File.Choose] picks the [Account] by its name, by the sender's address, or takes the default
//     account.
//   - [File.Put], [File.Remove] and [File.SetDefault] change it and keep comments and order;
//     [File.Save] writes it atomically.
//   - [File.Outbox] returns the settings of the outbox, for package outbox.
//   - [Account.Options] returns the options of yan.Open, with the password of
//     [SystemSecrets] or of a program's own [Secrets].
//   - [Account.Mailbox] and [Account.OAuth2Client] return its Sent folder and its authorization
//     server.
//
// The configuration contains no secret; [Secret] says where it is.
package account
