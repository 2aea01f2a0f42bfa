// Command client sends one message with a library of Go:
//
//	client net-smtp|gomail|go-mail|go-mail-cleartext
//
// The environment has HOST, PORT, LOGIN, SECRET, FROM, TO and SUBJECT; standard
// input has the text. Without LOGIN it does not log in.
package main

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/smtp"
	"os"
	"strconv"

	"github.com/wneessen/go-mail"
	gomail "gopkg.in/gomail.v2"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		var send func() error
		if send, err = prepare(os.Args[1], string(text)); err == nil {
			err = send()
		}
		if err != nil && send != nil && os.Getenv("AGAIN") != "" {
			err = send()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// prepare returns a function that sends the same message each time.
func prepare(library, text string) (func() error, error) {
	host, login, secret := os.Getenv("HOST"), os.Getenv("LOGIN"), os.Getenv("SECRET")
	from, to, subject := os.Getenv("FROM"), os.Getenv("TO"), os.Getenv("SUBJECT")
	port, err := strconv.Atoi(os.Getenv("PORT"))
	if err != nil {
		return nil, err
	}
	switch library {
	case "net-smtp":
		var auth smtp.Auth
		if login != "" {
			auth = smtp.PlainAuth("", login, secret, host)
		}
		message := "From: " + from + "\r\nTo: " + to + "\r\nSubject: " + mime.QEncoding.Encode("utf-8", subject) + "\r\n\r\n" + text
		return func() error {
			return smtp.SendMail(net.JoinHostPort(host, strconv.Itoa(port)), auth, from, []string{to}, []byte(message))
		}, nil
	case "gomail":
		m := gomail.NewMessage()
		m.SetHeader("From", from)
		m.SetHeader("To", to)
		m.SetHeader("Subject", subject)
		m.SetBody("text/plain", text)
		dialer := &gomail.Dialer{Host: host, Port: port, Username: login, Password: secret}
		return func() error { return dialer.DialAndSend(m) }, nil
	}
	m := mail.NewMsg()
	if err := errors.Join(m.From(from), m.To(to)); err != nil {
		return nil, err
	}
	m.Subject(subject)
	m.SetBodyString(mail.TypeTextPlain, text)
	options := []mail.Option{mail.WithPort(port), mail.WithTLSPolicy(mail.TLSOpportunistic)}
	if login != "" {
		kind := mail.SMTPAuthAutoDiscover
		if library == "go-mail-cleartext" {
			kind = mail.SMTPAuthPlainNoEnc
		}
		options = append(options, mail.WithSMTPAuth(kind), mail.WithUsername(login), mail.WithPassword(secret))
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return nil, err
	}
	return func() error { return client.DialAndSend(m) }, nil
}
