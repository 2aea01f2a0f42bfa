// Package metrics counts the events of the delivery, and exports the counts and the state of the
// outbox to Prometheus.
//
// Every name begins with yan_. Labels are accounts, states and the classes of package diagnosis,
// all of low cardinality; no label holds anything of a message or a recipient.
package metrics
