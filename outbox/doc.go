// Package outbox keeps messages until they are delivered, across restarts and failures and on
// several machines, and enqueues them in transactions of the caller.
//
//	box, err := outbox.Open(ctx, "", outbox.Options{}) // the outbox of this user
//	if err != nil {
//		return err
//	}
//	defer box.Close()
//	receipt, err := box.Enqueue(ctx, yan.Message{
//		From: "me@qq.com", To: []string{"friend@163.com"}, Subject: "Hello", Text: "Hello World",
//	}, outbox.EnqueueOptions{Key: "greeting 1"})
//	// Without an error, the message is on the disk. The daemon (yan serve), or
//	// box.Deliver in this program, hands it over.
//
// The types of messages, states, events and errors are in package queue.
//
//   - [Open] opens an outbox: a file, for one machine, or a PostgreSQL database, for
//     any number of them.
//   - [Outbox.Enqueue] keeps a message, [Outbox.EnqueueRaw] one that is composed
//     already. With a key, a message that is enqueued twice is kept once.
//   - [Outbox.EnqueueTx] does so inside a transaction of the caller ([SQL], [Pgx]):
//     the message is kept if the transaction is committed.
//   - [Outbox.Watch] yields the events of all recipients, from a stored [queue.Cursor]
//     on. [Outbox.List], [Outbox.Show] and [Outbox.Stats] read the outbox;
//     [Outbox.Hold], [Outbox.Release], [Outbox.Retry], [Outbox.Cancel] and
//     [Outbox.Resolve] change it.
//   - [Outbox.Deliver] sends from this process, [Outbox.Drain] until nothing is due.
//
// # States of a recipient
//
// Each recipient has a [queue.State]. If the server can't be reached, or asks to try later,
// the recipient is [queue.Deferred] and tried again, for five days unless
// EnqueueOptions.Expires says otherwise. If the server refuses it permanently, it is
// [queue.Failed]. If the reply to a whole message is lost, this side can't know whether the
// server has it, and the recipient is [queue.InDoubt]. Such a message is searched for in the
// Sent folder, and otherwise held until [Outbox.Resolve], or sent again if the account has
// in_doubt = "retry". It is never sent twice on a timer.
//
// # Accounts
//
// A message is sent from one account of this user's configuration (package account); the
// outbox stores only the name of the account, and no secret. The account's fallback is not
// used: messages wait until their own account can send. The account's signature, reply_to and
// headers are not added to a message. Copies go into its Sent folder according to save_sent.
package outbox
