package dkim_test

import (
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/yanmail/yan/dkim"
)

// The key of RFC 8463 appendix A.
const key = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----`

func Example() {
	private, err := dkim.ParseKey([]byte(key))
	if err != nil {
		log.Fatal(err)
	}
	signer := &dkim.Signer{Domain: "football.example.com", Selector: "brisbane", Key: private}
	name, text, err := signer.Record()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("publish at %s:\n%s\n\n", name, text)

	message := strings.NewReader("From: joe@football.example.com\r\nSubject: Is dinner ready?\r\n\r\nHi.\r\n")
	fields, err := dkim.Sign(message, time.Unix(1528637909, 0), signer)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(strings.ReplaceAll(string(fields), "\r\n", "\n"))
	// Output:
	// publish at brisbane._domainkey.football.example.com:
	// v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
	//
	// DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
	//  d=football.example.com; s=brisbane; t=1528637909; h=from:from:reply-to:
	//  subject:subject:to:cc:mime-version:content-type:content-transfer-encoding;
	//  bh=UrA8rmgY3eNBotmDWtzAmHyn5RyZv8Gea45sNGsP0zw=;
	//  b=MqQ8/Ysb8yTSi8jK4tt+Fl9MmxPMB+1+Tb6t7IAvnczzkO5ZCrddQCCXHmJp3taZ5acKXrebu
	//  wXl+mh70ZpYAw==
}
