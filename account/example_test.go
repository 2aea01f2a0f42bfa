package account_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
)

func ExampleOpen() {
	ctx := context.Background()
	client, err := account.Open(ctx, "") // the default account
	if missing, ok := errors.AsType[*account.SecretError](err); ok && missing.Problem == account.SecretNotFound {
		log.Fatalf("run: yan login %s", missing.Account)
	}
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	result, err := client.Send(ctx, yan.Message{To: []string{"you@example.org"}, Subject: "Hello", Text: "Hi!"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result)
}

// fromVault reads passwords from the program's own store.
type fromVault struct{ account.Secrets }

func (fromVault) Password(_ context.Context, a account.Account) (string, error) {
	return os.Getenv("CODE_OF_" + a.Name), nil
}

// A program with its own store of passwords supplies them itself.
func ExampleSecrets() {
	f, err := account.Parse("config.toml", []byte("[account.work]\nfrom = \"me@example.com\"\nserver = \"smtps://smtp.example.com\"\nuser = \"me\"\n"))
	if err != nil {
		log.Fatal(err)
	}
	a, _ := f.Account("work")
	options, err := a.Options(context.Background(), fromVault{account.SystemSecrets()})
	if err != nil {
		log.Fatal(err)
	}
	client, err := yan.Open(a.Server, options)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(a.Server, options.User)
	// Output: smtps://smtp.example.com me
}

func ExampleFile_Settings() {
	f, err := account.Parse("config.toml", []byte("[defaults]\nlocal_name = \"pc.example.com\"\n\n[account.work]\nfrom = \"me@example.com\"\nserver = \"smtps://smtp.example.com\"\n"))
	if err != nil {
		log.Fatal(err)
	}
	a, _ := f.Account("work")
	for _, s := range f.Settings(a) {
		if s.Inherited {
			fmt.Println(s.Key, s.Text)
		}
	}
	// Output: local_name pc.example.com
}

func ExampleAccount_Mailbox() {
	mailbox, err := account.Account{From: "me@qq.com"}.Mailbox()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mailbox.Host)
	// Output: imap.qq.com
}
