package smtpclient_test

import (
	"context"
	"fmt"
	"log"
	"slices"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// One connection with overlapping messages. Package transport offers several connections, and
// sends messages that a lost connection left untried on another.
func ExampleConn_Run() {
	server, err := sandboxtest.New("plain")
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	ctx := context.Background()
	conn, err := smtpclient.Dial(ctx, smtpclient.Config{
		Host: "127.0.0.1", Port: port(server.Addr()), Security: smtpclient.Plaintext, // for the sandbox; your program should use TLS
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Quit(ctx)

	from, err := smtp.ParseAddress("me@example.org")
	if err != nil {
		log.Fatal(err)
	}
	var messages []smtpclient.Transaction
	for _, name := range []string{"ann", "rcpt-550", "bob"} {
		to, err := smtp.ParseAddress(name + "@example.com")
		if err != nil {
			log.Fatal(err)
		}
		envelope, err := smtp.NewEnvelope(from, to)
		if err != nil {
			log.Fatal(err)
		}
		content, err := message.Compose(&message.Message{From: from.String(), To: []string{to.String()}, Text: "Hello World"})
		if err != nil {
			log.Fatal(err)
		}
		defer content.Close()
		messages = append(messages, smtpclient.Transaction{Envelope: envelope, Content: content})
	}
	for result := range conn.Run(ctx, slices.Values(messages)) { // in the order of the messages
		fmt.Println(result.Outcomes[0].Recipient, result.Outcomes[0].Status)
	}
	// Output:
	// ann@example.com accepted
	// rcpt-550@example.com refused
	// bob@example.com accepted
}

func port(addr string) (n int) {
	_, _ = fmt.Sscanf(addr, "127.0.0.1:%d", &n) // on failure the port is 0, and Dial returns an error
	return n
}
