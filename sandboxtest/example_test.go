package sandboxtest_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/sandboxtest"
)

// A provider that knows one of two recipients. In a test, use Start instead of
// New and Close.
func Example() {
	server, err := sandboxtest.New("qq")
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	client, err := yan.Open(server.URL(), yan.Options{Password: server.Password(), CAFile: server.CAFile()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	result, err := client.Send(context.Background(), yan.Message{
		From: server.Login(), To: []string{"friend@163.com", "rcpt-550+Mailbox_not_found@qq.com"},
		Subject: "你好", Text: "Hello World",
	})
	fmt.Println("error:", err != nil)
	for _, o := range result.Recipients {
		fmt.Println(o)
	}

	message := server.WaitMessages(1)[0]
	fmt.Println(message.To, message.Header("Subject"), strings.TrimSpace(message.Text()))
	fmt.Println(len(server.Violations()), "violations")
	// Output:
	// error: true
	// friend@163.com: accepted at body: 250 Ok: queued as
	// rcpt-550+Mailbox_not_found@qq.com: refused at rcpt: 550 Mailbox not found
	// [friend@163.com] 你好 Hello World
	// 0 violations
}
