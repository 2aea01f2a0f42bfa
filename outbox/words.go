package outbox

import (
	queue "github.com/yanmail/yan/internal/outbox"

	"github.com/yanmail/yan/internal/delivery"
)

// The words of the outbox. Times are exact to the millisecond.
type (
	// ID names a message in its outbox: it counts up from 1, with gaps.
	ID = queue.ID
	// State is where a recipient is on its way, in a stable word.
	State = queue.State
	// Priority decides who goes first among what is due: High, Normal, Low.
	Priority = queue.Priority

	// Entry is a message as people see it: ID, Account, Key, From, MessageID, Subject,
	// Size in octets, HasBody, Created, NotBefore, Expires, Priority, Tags, ReportOn,
	// its Recipients and their number Total, and its Events.
	Entry = queue.Entry
	// Status is how it stands with a recipient: its place N in the envelope, Address,
	// State, Attempts, when it is Due, whether it was Doubted once, the Worker that has
	// it, when it was Updated, and the last Answer.
	Status = queue.Status
	// Answer is what decided about a recipient: the Stage, the server's Reply, the Err of
	// this side, the Class of package diagnosis, and the ServerID, the name that the
	// server gave the message.
	Answer = queue.Answer
	// Filter chooses messages by IDs, Account, States, To, From, Tag, Key, Since, Until,
	// Doubted; Limit (0 means 50), Before and Oldest turn the pages. Empty fields
	// choose all.
	Filter = queue.Filter
	// Page has Entries, and says whether there are More.
	Page = queue.Page
	// Stats counts recipients by account and state, and tells of the workers and the room.
	Stats = queue.Stats
	// AccountStats has the Count of each State, and how long the account is PausedFor
	// and by which PauseAnswer.
	AccountStats = queue.AccountStats

	// Verb is what a person, or a program, may want with messages.
	Verb = queue.Verb
	// Change is a Verb for the messages that Filter chooses, or with N for one recipient
	// of each.
	Change = queue.Change
	// Changed counts Messages, Recipients, and those that the verb is not possible
	// for (Untouched).
	Changed = queue.Changed

	// Event is something that happened: Cursor, ID, N and Address (N is -1 for the whole
	// message), Account, Kind, the State since then, At, the Attempt, Due, and the
	// Answer.
	Event = queue.Event
	// EventKind is that of an Event: the word of a State, or one of those below.
	EventKind = queue.EventKind
	// Cursor is a place between events. It is a text that can be kept.
	Cursor = queue.Cursor

	// Drained counts recipients: Count by the state that they came to, and those that
	// are Left.
	Drained = delivery.Drained
)

// The states.
const (
	Queued     = queue.Queued     // nobody has tried yet; with a Due to come it is called scheduled
	Deferred   = queue.Deferred   // tried, and to be tried again when it is due
	Leased     = queue.Leased     // a worker has it, and no last octet has left
	Sending    = queue.Sending    // the last octet may have left
	InDoubt    = queue.InDoubt    // it may have left, and no answer came
	Held       = queue.Held       // a person keeps it, or has to mend something
	HandedOver = queue.HandedOver // the server took it
	Failed     = queue.Failed     // the server refused it for good
	Expired    = queue.Expired    // it was not handed over in its time
	Cancelled  = queue.Cancelled  // a person took it back
)

// The priorities.
const (
	High   = queue.High
	Normal = queue.Normal
	Low    = queue.Low
)

// The verbs.
const (
	Hold          = queue.Hold
	Release       = queue.Release
	Retry         = queue.Retry  // now; also what failed, expired or was cancelled
	Cancel        = queue.Cancel // of whatever is not being sent and not final
	ResolveSent   = queue.ResolveSent
	ResolveResend = queue.ResolveResend
)

// The kinds of event that are no states.
const (
	EventEnqueued = queue.EventEnqueued
	EventStale    = queue.EventStale // an answer that came too late to be believed
	EventRetry    = queue.EventRetry
	EventReleased = queue.EventReleased
	EventResent   = queue.EventResent // a person, or in_doubt, ended the doubt so
	EventFound    = queue.EventFound  // in the Sent folder: handed over
	EventLapsed   = queue.EventLapsed // its worker did: queued again
)

// Now is the cursor behind all events that there are.
const Now = queue.Now

// The errors that a caller tells apart.
var (
	// ErrConflict: the key is another message's.
	ErrConflict = queue.ErrConflict
	// ErrFull: too little room is left where the outbox is; nothing was kept.
	ErrFull = queue.ErrFull
	// ErrBroken: an I/O error leaves the state of the disk unknown, or a file of the outbox
	// was moved or removed while it was open. End the process and start it again.
	ErrBroken = queue.ErrBroken
	// ErrUncertain: the disk or the database failed in the middle of a commit, and whether
	// the message was kept is not known. It may come together with ErrBroken. Enqueue it
	// again with the same key: that never keeps it twice.
	ErrUncertain = queue.ErrUncertain
	// ErrCopied: this outbox is a copy, and delivers nothing until `yan queue adopt`.
	ErrCopied = queue.ErrCopied
	// ErrNotFound: there is no such message.
	ErrNotFound = queue.ErrNotFound
	// ErrNoBody: the text of the message is gone.
	ErrNoBody = queue.ErrNoBody
	// ErrClosed: the outbox is closed.
	ErrClosed = queue.ErrClosed
)

// MoveError: what was asked for can't be done in this state.
type MoveError = queue.MoveError
