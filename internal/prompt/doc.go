// Package prompt asks a user questions on a terminal, or reads the answers from a pipe.
//
//   - An [Asker] uses the streams of a program. With Form it shows each question as a small form
//     (edited in place, lists with a cursor); without it prints the question and reads a line.
//   - [Asker.Text], [Asker.Secret], [Asker.Choose] and [Asker.Confirm] each ask one [Question];
//     [Asker.Show] prints a line between them.
//   - [CleanSecret] removes characters that came with a pasted secret.
//
// Ctrl-C and Esc return [ErrCancelled] and restore the terminal. The caller supplies all texts in
// the user's language.
package prompt
