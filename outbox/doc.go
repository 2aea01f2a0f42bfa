// Package outbox keeps messages until they are handed over: across restarts,
// failures and machines, and in the transaction that they belong to.
//
//	box, err := outbox.Open(ctx, "", outbox.Options{}) // the one of this user
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
// In the order in which they are used:
//
//   - [Open] opens an outbox: a file, for one machine, or a PostgreSQL database, for
//     any number of them.
//   - [Outbox.Enqueue] keeps a message, [Outbox.EnqueueRaw] one that is composed
//     already. With a key, what is enqueued twice is one message.
//   - [Outbox.EnqueueTx] does so inside a transaction of the caller's ([SQL], [Pgx]):
//     the message is kept when that is committed, and never was when it is not.
//   - [Outbox.Watch] tells what became of each recipient, from a kept [Cursor] on;
//     [Outbox.List], [Outbox.Show] and [Outbox.Change] look and decide.
//   - [Outbox.Deliver] sends in this process, [Outbox.Drain] until nothing is due any more.
//
// # What becomes of a recipient
//
// Each has a [State] of its own. A server that can't be reached, or says "later", costs
// patience: the message is [Deferred] and tried again, for five days unless
// EnqueueOptions.Expires says otherwise. One that says "no" costs the recipient:
// [Failed]. When the answer to a whole message is lost, nobody can know whether the
// server has it, and the state says so: [InDoubt]. Such a message is looked for in the
// Sent folder and otherwise held for a person, or sent again where the account's
// in_doubt = "retry" says so. It is never sent twice just because time passes.
//
// # Accounts
//
// A message goes out from one account of the configuration of this user (package
// account); the outbox itself keeps its name and no secret. The account's fallback
// takes no messages over here: they wait until their own account can send.
// Nor are its signature, reply_to and headers added to a message. Copies go into its Sent
// folder as save_sent says.
package outbox
