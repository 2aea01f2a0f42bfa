// Package mailfiles finds the messages in files and folders: files that are
// one message each (.eml), mbox files, Maildirs, and folders of .eml files.
//
// [Find] says where the messages of a path lie, and reads no file of a folder.
// [Message.Open] makes one of them ready to be sent; it may be
// called again, and insists that the file is still the same. Between the two
// nothing is kept open, so that a run of any length needs few files at once.
//
// # What is what
//
// A folder that holds the folders cur and new is a Maildir: its messages are the
// files of both, in the order of their unique names, which is the order of
// delivery. tmp is never read, nor are files whose names begin with a dot, nor the
// Maildirs of subfolders. A change of flags, and the move from new to cur, keep
// the order.
//
// Any other folder stands for the files in it that end with .eml, in the order
// of their names.
//
// A file whose first line begins with "From " and is no header field is an mbox
// file; package mbox says how it is divided. Any other file is one message.
//
// Messages that their owner marked as deleted or as drafts are left out and
// counted, unless [Options.Marked] asks for them: the flags T and D of a Maildir,
// and in an mbox file what Thunderbird (X-Mozilla-Status), Evolution (X-Evolution),
// UW-IMAP, Dovecot and others (Status, X-Status) write. The message in which UW-IMAP keeps data of the
// folder is never found.
package mailfiles
