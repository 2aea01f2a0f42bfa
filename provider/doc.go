// Package provider holds what is known about 49 mailbox providers and relays:
// hosts, ports, how to log in and where the password for it comes from,
// limits, and what they do that the standards don't say.
//
// In the order in which a sender uses it:
//
//   - [ByName] finds a provider by what a user typed as a preset ("qq", "163",
//     "腾讯企业邮箱"), [ByDomain] by the domain of an address, [ByHost] by the SMTP
//     host of a URL, [ByMX] by a mail exchanger; [Lookup] tries the first three.
//     [Nearest] suggests names for a mistyped one.
//   - [Provider.Submission] is where to connect, [Provider.LoginFor] the user name.
//   - [Provider.CodeHelp] says where the user gets the authorization code.
//   - [Provider.Has] asks for a [Trait], a habit that code must mind;
//     [Provider.Limits] and [Provider.SenderRule] are for pacing and checks.
//
// Every fact has a [Status], since no list of this kind is certain. The facts
// are kept in providers.yaml, with their sources; after a change to it run
//
//	go generate ./provider
//
// which writes index.go, by which a provider is found, and the
// providers.jsonl that is embedded, of which only what is found is decoded,
// once.
package provider

//go:generate go run ./generate
