// Package mailfiles finds the messages in files and directories: single messages (.eml), mbox
// files, Maildirs, and directories of .eml files.
//
// [Find] lists the messages of a path and reads no file of a directory. [MessageRef.Open] prepares one
// of them for sending; it may be called again and fails if the file has changed. Between the two
// calls no file is open, so that a run of any length needs few files at once.
//
// # Formats
//
// A directory with the subdirectories cur and new is a Maildir: its messages are the files of both,
// ordered by unique name, which is the order of delivery. Find never reads tmp, files whose names
// begin with a dot, or Maildirs of subfolders. A change of flags and the move from new to cur keep
// the order.
//
// In any other directory, the messages are the files that end with .eml, ordered by name.
//
// A file whose first line begins with "From " and is not a header field is an mbox file; package
// mbox describes how it is split. Any other file is one message.
//
// Messages marked as deleted or as drafts are skipped and counted unless [Options.Marked] is set:
// the flags T and D of a Maildir, and in an mbox file the marks of Thunderbird (X-Mozilla-Status),
// Evolution (X-Evolution), UW-IMAP, Dovecot and others (Status, X-Status). The message in which
// UW-IMAP keeps data of the folder is never returned.
package mailfiles
