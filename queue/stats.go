package queue

import "time"

// Stats counts the recipients of an outbox, and describes its workers.
type Stats struct {
	Accounts []AccountStats // by name: those that have messages or are paused
	Workers  []WorkerStats  // by owner; also expired ones that were not removed yet
	// Oldest is when the first message, by ID, was enqueued that has a Queued or Deferred
	// recipient; zero if there is none.
	Oldest time.Time
	Bytes  int64 // the size of database and spool, if it is known
	Free   int64 // the free space of the disk; -1 if it is not known
	// Copied is true if this outbox is a copy, which delivers nothing until it is adopted.
	Copied bool
	// Ahead is how far the newest message or event is ahead of the clock, which is slow
	// now or was fast then; 0 for less than a minute.
	Ahead time.Duration
}

// AccountStats counts the recipients of an account.
type AccountStats struct {
	Account     string
	Count       map[State]int // by state, without zeros
	PausedFor   time.Duration // until its pause ends; 0 if it is not paused
	PauseAnswer Answer        // the cause of the pause
}

// Worker is a process that delivers.
type Worker struct {
	Owner string // random, unique
	Host  string
	PID   int
}

// WorkerStats is a worker and its lease.
type WorkerStats struct {
	Worker
	Since time.Time     // when it started
	For   time.Duration // until its lease ends; 0 or less if it has ended
}

// Drained counts the recipients that a run of outbox.Drain processed.
type Drained struct {
	// Count counts them by the state that they reached: HandedOver, Deferred, Failed,
	// InDoubt or Held.
	Count map[State]int
	// Left counts all recipients that are not in a final state.
	Left int
}
