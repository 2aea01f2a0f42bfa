// Package sendlog is the log of a run of messages, from which the run can be
// resumed without sending anything twice.
//
// [Open] reads what the log holds and keeps it for one process. [Log.State] says
// what became of a recipient of a message. [Log.Attempt] and then [Log.Sync]
// have to return before the message may reach the wire, one Sync for several where that
// is faster ([Log.Batch]); [Log.Settle] writes what became of it, and
// [Log.Close] ends the log.
//
// # What it promises
//
// An attempt is on the disk before a message is handed to the sender. Whatever
// happens after that, kill -9 or a power cut, an attempt without an outcome
// is unknown, and it is the caller's to send it again or not. Outcomes go to the
// system at once, which keeps them if only the process dies, and to the disk
// with the next attempts: one that a power cut takes is unknown afterwards.
//
// # The file
//
// One JSON object on a line; [Line] is all that may be in it. The first line names
// the version. A line is written whole with its line end or, when the machine
// stops in the middle, without: what stands behind the last line end is
// left out, and cut off by the next Open. Anything else that can't be read is an
// error that names the line.
package sendlog
