package yan_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/dkim"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// Open a client, send a message, and check each recipient.
func Example() {
	server, stop := sandbox() // your program: yan.Open("qq", yan.Options{From: …, Password: …})
	defer stop()

	client, err := yan.Open(server.URL(), yan.Options{Password: server.Password(), CAFile: server.CAFile()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	result, err := client.Send(context.Background(), yan.Message{
		From: "雁 <me@qq.com>", To: []string{"friend@163.com"},
		Subject: "第一封测试邮件", Text: "Hello World",
		Attachments: []yan.Attachment{yan.Bytes("report.txt", []byte("all is well"))},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range result.Recipients {
		fmt.Println(r.Recipient, r.Status)
	}
	// Output:
	// friend@163.com accepted
}

// A refused recipient does not prevent delivery to the others, and the error explains the
// refusal.
func ExampleClient_Send_refused() {
	server, stop := sandbox()
	defer stop()
	client, err := yan.Open(server.URL(), yan.Options{Password: server.Password(), CAFile: server.CAFile()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	// The address controls the sandbox: refuse at RCPT with 550.
	result, err := client.Send(context.Background(), yan.Message{
		From: "me@qq.com", To: []string{"friend@163.com", "rcpt-550+Mailbox_not_found@example.org"},
		Subject: "news", Text: "Hello",
	})
	for _, r := range result.Recipients {
		fmt.Println(r.Status, r.Stage, r.Reply.Code)
	}
	if failed := (*yan.SendError)(nil); errors.As(err, &failed) {
		fmt.Println(failed.Finding.Class)
	}
	// Output:
	// accepted body 250
	// refused rcpt 550
	// RECIPIENT_INVALID
}

// A lost reply is neither a failure nor a success.
func ExampleClient_Send_unknown() {
	server, stop := sandbox()
	defer stop()
	client, err := yan.Open(server.URL(), yan.Options{Password: server.Password(), CAFile: server.CAFile()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	// The sandbox accepts the message and cuts the connection before its 250.
	result, _ := client.Send(context.Background(), yan.Message{
		From: "me@qq.com", To: []string{"body-cut@example.org"}, Subject: "news", Text: "Hello",
	})
	fmt.Println(result.Recipients[0].Status)
	// Output: unknown
}

// A thousand messages are sent as fast as the server accepts them; each has its own result, in
// the order of decision.
func ExampleClient_SendAll() {
	server, stop := sandbox()
	defer stop()
	client, err := yan.Open(server.URL(), yan.Options{Password: server.Password(), CAFile: server.CAFile()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	people := []string{"ann@163.com", "rcpt-550@163.com", "not an address", "bob@gmail.com"}
	invitations := func(yield func(yan.Message) bool) {
		for _, to := range people {
			if !yield(yan.Message{From: "me@qq.com", To: []string{to}, Subject: "Invitation", Text: "Dear " + to}) {
				return
			}
		}
	}
	sent := 0
	for result, err := range client.SendAll(context.Background(), invitations) {
		if err == nil {
			sent++
			continue
		}
		// A message that could not be composed has no recipients.
		fmt.Println(people[result.Index], len(result.Recipients))
	}
	fmt.Println(sent, "sent")
	// Unordered output:
	// not an address 0
	// rcpt-550@163.com 1
	// 2 sent
}

// A message with a DKIM signature.
func ExampleClient_Send_signed() {
	server, stop := sandbox()
	defer stop()
	client, err := yan.Open(server.URL(), yan.Options{Password: server.Password(), CAFile: server.CAFile()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	_, key, err := ed25519.GenerateKey(nil) // dkim.ParseKey reads one from PEM
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Send(context.Background(), yan.Message{
		From: "me@qq.com", To: []string{"friend@163.com"}, Subject: "Signed", Text: "Hello World",
		DKIM: []*dkim.Signer{{Domain: "qq.com", Selector: "mail", Key: key}},
	})
	if err != nil {
		log.Fatal(err)
	}
	signature := server.WaitMessages(1)[0].Header("DKIM-Signature")
	fmt.Println(strings.Fields(signature)[:5])
	// Output: [v=1; a=ed25519-sha256; c=relaxed/relaxed; d=qq.com; s=mail;]
}

// In tests of your own program, record messages instead of sending them.
func ExampleNewClient() {
	recorder := &transport.Recorder{Answer: func(to smtp.Address) smtp.Reply {
		if to.Local() == "nobody" {
			return smtp.Reply{Code: 550, Lines: []string{"no such user"}}
		}
		return smtp.Reply{Code: 250, Lines: []string{"OK"}}
	}}
	client := yan.NewClient(recorder)
	_, err := client.Send(context.Background(), yan.Message{
		From: "shop@example.org", To: []string{"ann@example.org", "nobody@example.org"},
		Bcc: []string{"archive@example.org"}, Subject: "Your order", Text: "Thank you.",
	})
	sent := recorder.Messages()[0]
	fmt.Println(sent.From, sent.To)
	fmt.Println(strings.Contains(string(sent.Data), "archive"))
	fmt.Println(err != nil)
	// Output:
	// shop@example.org [ann@example.org archive@example.org]
	// false
	// true
}

// sandbox starts a server that imitates QQ Mail on loopback. In a test use sandboxtest.Start(t,
// "qq"), which also stops it.
func sandbox() (server *sandboxtest.Server, stop func()) {
	server, err := sandboxtest.New("qq")
	if err != nil {
		log.Fatal(err)
	}
	return server, func() { _ = server.Close() }
}
