// Package diagnosis says what a failure means: its class, what it is about,
// whether it lasts, what to do next, and all of it for people in English and
// Simplified Chinese. It is data and one pure function.
//
//   - A [Fact] is what is known: the stage, the server's reply, the error on
//     this side, the provider. [FromOutcome] and [FromError] make one.
//   - [Diagnose] turns it into a [Finding]: a [Class] with cause and advice, a
//     [Scope], a [Permanence] and a [Retry].
//   - [Classes], [Describe] and [Rows] show the knowledge behind it.
//
// What is looked at, in this order:
//
//  1. The stage. Whatever follows an accepted message is [ClassAfterAccept]; a
//     message whose reply was lost is [ClassUnknownOutcome]; a 5xx at AUTH is
//     about the login, whatever its number.
//  2. The rows of the provider, then those of its family, then those of
//     everybody else whose text is unmistakable.
//  3. The enhanced code (RFC 3463).
//  4. The code and the stage.
//
// Without a reply the error on this side decides, by its type and never by its
// text. A package above this one gives an error of its own a method
// FailureKind() string with a word of [ErrorKinds].
//
// When even those say nothing, the class is [ClassUnclassified] and the hint quotes
// the server. Codes are not believed blindly: QQ and NetEase use 550 and 554
// for limits that pass, Alibaba 440 for a sender that will never do.
//
// The data is in replies.yaml and classes.yaml. After a change run
//
//	go generate ./diagnosis
//
// which writes the table that internal/replytable embeds. It is parsed at first use.
package diagnosis

//go:generate go run ./generate
