// Package diagnosis explains failures: their class, scope, permanence and what to do next, for
// people in English and Simplified Chinese. It is data and one pure function.
//
//   - A [Fact] is the known data: the stage, the server's reply, the error on this side, the
//     provider. [FromOutcome] and [FromError] return one.
//   - [Diagnose] turns it into a [Finding]: a [Class] with cause and advice, a
//     [Scope], a [Permanence] and a [Retry].
//   - [Classes] and [Describe] return the data about the classes.
//
// The rules are applied in this order:
//
//  1. The stage. Every failure after an accepted message is [ClassAfterAccept]; a message whose reply
//     was lost is [ClassUnknownOutcome]; a 5xx at AUTH concerns the login, whatever its number. 2.
//     The rows of the provider, then those of its family, then those of other providers whose text is
//     unambiguous. 3. The enhanced code (RFC 3463). 4. The code and the stage.
//
// Without a reply the error on this side decides, by its type and never by its text. An error of a
// package above this one may have a method FailureKind() string that returns a word of
// [ErrorKinds].
//
// If none applies, the class is [ClassUnclassified] and the hint quotes the server. Codes are not
// trusted blindly: QQ and NetEase use 550 and 554 for temporary limits, Alibaba 440 for a sender
// that is never allowed.
//
// The data is in replies.yaml and classes.yaml. After a change run
//
// go generate ./diagnosis
//
// which writes the table that internal/replytable embeds. It is parsed at first use.
package diagnosis

//go:generate go run ./generate
