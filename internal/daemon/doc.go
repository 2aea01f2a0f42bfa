// Package daemon runs an outbox delivery as a long-lived process. [Run] delivers until its context
// is done; 'yan serve' is Run with a terminal.
//
// # Parts
//
// Each part is a named goroutine (part.go): the delivery, the command socket, the address for
// metrics, the pruner, systemd's watchdog and the reader of SIGHUP. If a part panics or fails, its
// stack is logged and the whole process ends: first the delivery gets time to finish the messages
// in flight and to release its leases; then systemd restarts the process. Nothing is restarted
// inside the process, where half of the failed part's state would remain. An HTTP request that
// panics is answered with 500 and logged; it ends nothing else.
//
// # Stopping
//
// When its context is done, the delivery claims no more messages and finishes those in flight.
// Messages that take longer than Options.Grace are cut off; their outcomes are recorded as far as
// they are known. The socket and the address answer until the end, with the status "stopping".
//
// # Observability
//
// Logs (log.go), spans (internal/telemetry) and metrics are all derived from delivery.WorkerEvent. None of
// them holds the content of a message, the local part of an address, the text of a server's reply,
// or a secret.
package daemon
