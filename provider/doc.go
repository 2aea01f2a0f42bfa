// Package provider has facts about 49 mailbox providers and relays: hosts, ports, login methods,
// the source of the password, limits, and behaviour that differs from the standards.
//
// In the order in which a sender uses it:
//
//   - [ByName] finds a provider by a name that users type as a preset ("qq", "163", "腾讯企业邮箱"),
//     [ByDomain] by the domain of an address, [ByHost] by the SMTP host of a URL, [ByMX] by a mail
//     exchanger; [Lookup] tries the first three. [Nearest] suggests names for a mistyped one.
//   - [Provider.Submission] returns the server to connect to, [Provider.LoginFor] the user name.
//   - [Provider.CodeHelp] says where the user gets the authorization code.
//   - [Provider.Has] tests for a [Trait], a behaviour that code must consider; [Provider.Limits]
//     and [Provider.SenderRule] are for pacing and checks.
//
// Every fact has a [Status], since no such list is certain. The facts and their sources are in
// providers.yaml; after a change to it run
//
//	go generate ./provider
//
// which writes index.go, used to find a provider, and the embedded providers.jsonl, of which only
// the providers found are decoded, once.
package provider

//go:generate go run ./generate
