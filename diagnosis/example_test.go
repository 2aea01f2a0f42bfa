package diagnosis_test

import (
	"fmt"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
)

// QQ answers a temporary limit with a 550.
func ExampleDiagnose() {
	f := diagnosis.Diagnose(diagnosis.Fact{
		Stage:    smtp.StageBody,
		Provider: "qq",
		Reply:    smtp.Reply{Code: 550, Lines: []string{"Ip frequency limited. https://service.mail.qq.com/detail/122/172."}},
	})
	fmt.Println(f.Class, f.Permanence, f.Retry)
	fmt.Println(f.Cause.EN)
	fmt.Println(f.Hint.ZH)
	// Output:
	// RATE_LIMITED temporary delay 1h0m0s
	// Mail is being sent too fast.
	// 此 IP 发信过于频繁；虽是 550，过段时间即可恢复。
}

// An error of a connection carries its stage and the server's reply.
func ExampleFromError() {
	err := fmt.Errorf("sending: %w", &smtp.Error{
		Stage: smtp.StageAuth,
		Reply: smtp.Reply{Code: 535, Lines: []string{"Error: authentication failed"}},
	})
	f := diagnosis.Diagnose(diagnosis.FromError(err, "netease163"))
	fmt.Println(f.Class)
	fmt.Println(f.Where.EN)
	// Output:
	// AUTH_BAD_CREDENTIALS
	// Web mail → Settings (top bar) → POP3/SMTP/IMAP → enable IMAP/SMTP or POP3/SMTP → Add authorization password → SMS verification
}
