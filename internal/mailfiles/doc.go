// Package mailfiles finds the messages in files and folders: files that are
// one message each (.eml), mbox files, Maildirs, and folders of .eml files.
//
// [Find] says where the messages of a path lie, and of the files of a folder
// reads none. [Message.Open] makes one of them ready to be sent; it may be
// called again, and insists that the file is still the same. Between the two
// nothing is kept open, so that a run of any length needs few files at once.
//
// # What is what
//
// A folder that holds the folders cur and new is a Maildir: its messages are the
// files of both, in the order of their unique names, which that of delivery is.
// tmp is never read, nor are files whose names begin with a dot, nor the
// Maildirs of subfolders. A change of flags, and the way from new to cur, leave
// the order as it is.
//
// Any other folder stands for the files in it that end with .eml, in the order
// of their names.
//
// A file whose first line is a From_ line is an mbox file (RFC 4155): "From ", a
// sender, and a date as ctime writes it, like
//
//	From me@example.org Mon Nov 23 04:25:28 2026
//
// A message ends before an empty line that is followed by a From_ line that is
// followed by a header field. The From_ lines and that empty line are not of
// the message, and from lines that begin with one or more ">" and "From " one
// ">" is taken, as the variant mboxrd has it. Content-Length is not looked at.
// Any other file is one message, also when a "From " without a date stands in
// its first line.
package mailfiles
