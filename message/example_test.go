package message_test

import (
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/yanmail/yan/dkim"
	"github.com/yanmail/yan/message"
)

func ExampleCompose() {
	c, err := message.Compose(&message.Message{
		From:      "雁 <me@example.com>",
		To:        []string{"李四 <friend@example.net>"},
		Bcc:       []string{"boss@example.com"},
		Subject:   "你好",
		Text:      "Hello World\n",
		MessageID: "1@example.com",
		Date:      time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	envelope, err := c.Envelope()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d octets from %s to %s\n\n", c.Size(), envelope.From(), envelope.To())
	var wire strings.Builder
	if _, err := c.WriteTo(&wire); err != nil {
		log.Fatal(err)
	}
	fmt.Print(strings.ReplaceAll(wire.String(), "\r\n", "\n"))
	// Output:
	// 295 octets from me@example.com to [friend@example.net boss@example.com]
	//
	// Date: Sun, 01 Mar 2026 09:30:00 +0000
	// From: =?UTF-8?B?6ZuB?= <me@example.com>
	// To: =?UTF-8?B?5p2O5Zub?= <friend@example.net>
	// Subject: =?UTF-8?B?5L2g5aW9?=
	// Message-ID: <1@example.com>
	// MIME-Version: 1.0
	// Content-Type: text/plain; charset=utf-8
	// Content-Transfer-Encoding: 7bit
	//
	// Hello World
}

// HTML with a picture, a text for mail programs that show no HTML, and a file.
func ExampleCompose_attachments() {
	chart := message.Bytes("chart.png", []byte("\x89PNG…"))
	chart.Inline, chart.ContentID = true, "chart"
	c, err := message.Compose(&message.Message{
		From:        "me@example.com",
		To:          []string{"friend@example.net"},
		Subject:     "Report",
		Text:        "The report is attached.",
		HTML:        `<p>The report is attached.</p><img src="cid:chart">`,
		Attachments: []message.Attachment{chart, message.Reader("报告.csv", strings.NewReader("a,b\n1,2\n"))},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	n, err := c.WriteTo(&strings.Builder{})
	fmt.Println(n == c.Size(), err)
	// Output: true <nil>
}

// Errors are returned before any connection is made, and quote the user's input.
func ExampleCompose_error() {
	_, err := message.Compose(&message.Message{
		From: "me@example.com",
		To:   []string{"friend@example.net", "张三 <zhangsan>"},
	})
	fmt.Println(err)
	// Output: to[1] "张三 <zhangsan>": address "zhangsan": no @
}

// A brochure for many recipients is read and encoded once.
func ExampleComposer() {
	var composer message.Composer
	brochure := message.Bytes("brochure.pdf", make([]byte, 500_000))
	for _, to := range []string{"a@example.net", "b@example.net"} {
		c, err := composer.Compose(&message.Message{From: "me@example.com", To: []string{to}, Subject: "Our brochure",
			Attachments: []message.Attachment{brochure}})
		if err != nil {
			log.Fatal(err)
		}
		n, err := c.WriteTo(io.Discard)
		fmt.Println(n == c.Size(), err)
		c.Close()
	}
	// Output:
	// true <nil>
	// true <nil>
}

// A server with BINARYMIME takes a quarter fewer octets.
func ExampleContent_Binary() {
	c, err := message.Compose(&message.Message{From: "me@example.com", To: []string{"friend@example.net"},
		Attachments: []message.Attachment{message.Bytes("film.mp4", make([]byte, 10_000_000))}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	offered := true // by the server
	if binary, ok := c.Binary(); ok && offered {
		fmt.Printf("%.1f MB instead of %.1f\n", float64(binary.Size())/1e6, float64(c.Size())/1e6)
	}
	// Output: 10.0 MB instead of 13.7
}

func ExampleContent_Sign() {
	key, err := dkim.ParseKey([]byte(`-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----`)) // that of RFC 8463
	if err != nil {
		log.Fatal(err)
	}
	c, err := message.Compose(&message.Message{From: "me@example.com", To: []string{"friend@example.net"}, Subject: "Signed"})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	signed, err := c.Sign(&dkim.Signer{Domain: "example.com", Selector: "mail", Key: key})
	if err != nil {
		log.Fatal(err)
	}
	var wire strings.Builder
	if _, err := signed.WriteTo(&wire); err != nil {
		log.Fatal(err)
	}
	fmt.Println(wire.String()[:68])
	// Output: DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.
}

func ExampleParseMailboxList() {
	list, err := message.ParseMailboxList(`"Smith, J." <j@example.com>；李四 <lisi@example.net>，`)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range list {
		fmt.Printf("%s at %s\n", m.Name, m.Address)
	}
	// Output:
	// Smith, J. at j@example.com
	// 李四 at lisi@example.net
}

func ExampleReadRaw() {
	c, err := message.ReadRaw(strings.NewReader("From: me@example.com\nTo: friend@example.net\n" +
		"Bcc: boss@example.com\nSubject: Hi\n\nHello\n"))
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	envelope, err := c.Envelope()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(envelope.To())
	var wire strings.Builder
	if _, err := c.WriteTo(&wire); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", wire.String())
	// Output:
	// [friend@example.net boss@example.com]
	// "From: me@example.com\r\nTo: friend@example.net\r\nSubject: Hi\r\n\r\nHello\r\n"
}
