// Package metrics counts what the delivery tells, and shows it and how it stands with
// the outbox to Prometheus.
//
// Every name begins with yan_. Labels are accounts, states and the classes of package
// diagnosis, of which there are few; none holds anything of a message or of
// a recipient.
package metrics
