// Package daemon is the only place where work that goes on for long is put together
// and looked after. [Run] delivers what is in an outbox until it is told to
// stop; 'yan serve' is Run with a terminal around it.
//
// # What runs
//
// Every part is a goroutine with a name (part.go): the delivery, the socket for
// commands, the address for metrics, the pruner, the watchdog of systemd, the
// reader of SIGHUP. A part that panics or fails is told of with its stack and
// ends the whole process: the delivery is given its time to finish what is on the
// wire and to give back its leases first, and systemd begins anew. Nothing is
// restarted inside, where half of its state would stay. A request of HTTP that
// panics is answered with 500 and told of; it ends nothing else.
//
// # How it stops
//
// When its context is over, the delivery claims nothing more and finishes what it
// has on the wire. What takes longer than Options.Grace is cut off; what became of
// it is known then as far as it can be. The socket and the address answer until
// the end, and say that it is stopping.
//
// # What it tells
//
// Logs (log.go), spans (trace.go) and metrics are made of the same
// delivery.Event. None of them has a message's content, the local part of an
// address, the text of a server's reply, or a secret.
package daemon
