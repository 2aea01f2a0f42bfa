package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"io"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	own "github.com/yanmail/yan/dkim"
	"github.com/yanmail/yan/message"
)

// BenchmarkDKIM signs one message of 68 MB with Ed25519, relaxed/relaxed: in
// this project while composing, and in go-msgauth in both of its ways.
func BenchmarkDKIM(b *testing.B) {
	content, err := message.Compose(&message.Message{From: "me@example.com", To: []string{"b@example.com"}, Text: "Hello World\n",
		Attachments: []message.Attachment{message.Bytes("a.bin", make([]byte, 50<<20))}})
	if err != nil {
		b.Fatal(err)
	}
	defer content.Close()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	options := &dkim.SignOptions{Domain: "example.com", Selector: "s", Signer: key, Hash: crypto.SHA256,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed}
	var whole bytes.Buffer
	if _, err := content.WriteTo(&whole); err != nil {
		b.Fatal(err)
	}
	for _, way := range []struct {
		name string
		sign func() error
	}{
		{"yan", func() error {
			_, err := content.Sign(&own.Signer{Domain: "example.com", Selector: "s", Key: key})
			return err
		}},
		{"go-msgauth Signer", func() error {
			s, err := dkim.NewSigner(options)
			if err != nil {
				return err
			}
			if _, err := content.WriteTo(s); err != nil {
				return err
			}
			return s.Close()
		}},
		{"go-msgauth Sign", func() error {
			return dkim.Sign(io.Discard, bytes.NewReader(whole.Bytes()), options)
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.SetBytes(int64(whole.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if err := way.sign(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
