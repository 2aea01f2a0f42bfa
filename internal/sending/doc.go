// Package sending sends a batch of messages in one run. It decides which messages the log of
// earlier runs leaves to send, when an attempt is on disk, which account takes over from another,
// which copies go to a Sent folder, and when the run ends early. It prints nothing: it reports
// events to the caller.
//
//	log, err := sendlog.Open("batch.log", time.Now)
//	...
//	run := sending.New(sending.Options{
//		Sender:    sending.AccountSender{Account: "main", Server: server, Open: openMain},
//		Fallbacks: []sending.AccountSender{{Account: "spare", Open: openSpare, Serves: servesSpare}},
//		Log:       log,
//		Observe: func(ctx context.Context, e sending.RunEvent) {
//			if r, ok := e.(sending.Reported); ok {
//				save(r.Message.MessageID, r.Result)
//			}
//		},
//	}, messages)
//	defer run.Close()
//	if err := run.Open(ctx); err != nil {
//		return err
//	}
//	summary, err := run.Send(ctx)
//
// Every message is reported exactly once, except those in [Summary.Unreached]. A message that the
// run never began is reported, too, with the reason.
package sending
