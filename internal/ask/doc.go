// Package ask asks a person questions on a terminal, and reads the answers from
// a pipe where nobody sits at one.
//
//   - An [Asker] is made for the streams of a program. With Form set it shows
//     each question as a small form (edited in place, lists with a cursor);
//     without, it prints the question and reads a line.
//   - [Asker.Text], [Asker.Secret], [Asker.Choose] and [Asker.Confirm] each ask one
//     [Question]; [Asker.Show] says something between them.
//   - [Clean] takes off a secret what came along when it was pasted.
//
// Ctrl-C and Esc are [ErrCancelled], and the terminal is then what it was before.
// What the person reads comes from the caller, in the person's language.
package ask
