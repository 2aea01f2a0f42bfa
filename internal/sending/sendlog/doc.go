// Package sendlog is the log of a run of messages. It lets the run resume without sending a message
// twice.
//
// [Open] reads a log and locks it for one process. [Log.State] returns the recorded outcome of a
// recipient of a message. [Log.Attempt] and then [Log.Sync] must return before a message may be
// sent; one Sync may cover several messages if that is faster ([Log.Batch]). [Log.Settle] records
// the outcome, and [Log.Close] ends the log.
//
// # Guarantees
//
// An attempt is on disk before its message is sent. After kill -9 or a power cut, an attempt
// without an outcome is unknown, and the caller decides whether to send again. Outcomes are written
// to the system at once, which keeps them if only the process dies, and to the disk with the next
// attempts: an outcome lost in a power cut is unknown afterwards.
//
// # The file
//
// One JSON object per line; [Line] describes it. The first line has the version. If the machine
// stops while a line is written, the line has no line end: octets after the last line end are
// ignored, and the next Open truncates them. Anything else that can't be read is an error with the
// line's number.
package sendlog
