package outbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/sandboxtest"
)

// exampleSetup returns a folder with a configuration for a server of the sandbox.
func exampleSetup() (dir string, f *account.File, end func()) {
	server, err := sandboxtest.New("plain")
	if err != nil {
		log.Fatal(err)
	}
	if dir, err = os.MkdirTemp("", "outbox-example-*"); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "code"), []byte(server.Password()+"\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	f, err = account.Parse(filepath.Join(dir, "config.toml"), fmt.Appendf(nil,
		"[account.shop]\nfrom = \"Shop <%s>\"\nserver = %q\ntls_ca = %q\nsecret = { file = \"code\" }\n", server.Login(), server.URL(), server.CAFile()))
	if err != nil {
		log.Fatal(err)
	}
	return dir, f, func() {
		_ = server.Close()
		_ = os.RemoveAll(dir)
	}
}

// A message is kept and delivered, and the result of each recipient is printed. A program of
// your own calls Open(ctx, "", outbox.Options{}), which uses the configuration that `yan
// login` wrote.
func Example() {
	ctx := context.Background()
	dir, accounts, end := exampleSetup()
	defer end()

	box, err := outbox.Open(ctx, filepath.Join(dir, "outbox.db"), outbox.Options{Accounts: accounts})
	if err != nil {
		log.Fatal(err)
	}
	defer box.Close()
	m := yan.Message{To: []string{"a@example.org", "rcpt-550@example.org"}, Subject: "Order 7", Text: "It is on its way."}
	for range 2 { // a program that was interrupted enqueues again
		receipt, err := box.Enqueue(ctx, m, outbox.EnqueueOptions{Key: "order 7", Tags: []string{"orders"}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("message", receipt.ID, "from account", receipt.Account, "duplicate:", receipt.Duplicate)
	}

	if _, err := box.Drain(ctx); err != nil { // or Deliver, or the daemon
		log.Fatal(err)
	}
	left := 2
	for e, err := range box.Watch(ctx, "") {
		if err != nil {
			log.Fatal(err)
		}
		if !e.State.Final() {
			continue
		}
		fmt.Println(e.Address, e.State, e.Answer.Reply.Code)
		if left--; left == 0 {
			break
		}
	}
	// Unordered output:
	// message 1 from account shop duplicate: false
	// message 1 from account shop duplicate: true
	// a@example.org handed_over 250
	// rcpt-550@example.org failed 550
}

// The transactional outbox: the order and the message about it are kept together, or neither
// is.
func ExampleOutbox_EnqueueTx() {
	ctx := context.Background()
	dir, accounts, end := exampleSetup()
	defer end()

	file := filepath.Join(dir, "shop.db")
	box, err := outbox.Open(ctx, file, outbox.Options{Accounts: accounts})
	if err != nil {
		log.Fatal(err)
	}
	defer box.Close()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(file)+"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE TABLE orders (number INTEGER PRIMARY KEY, who TEXT NOT NULL)"); err != nil {
		log.Fatal(err)
	}

	order := func(number int, who string, paid bool) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // has no effect after Commit
		if _, err := tx.ExecContext(ctx, "INSERT INTO orders VALUES (?, ?)", number, who); err != nil {
			return err
		}
		m := yan.Message{To: []string{who}, Subject: fmt.Sprintf("Order %d", number), Text: "Thank you."}
		if _, err := box.EnqueueTx(ctx, outbox.SQL(tx), m, outbox.EnqueueOptions{Key: fmt.Sprintf("order %d", number)}); err != nil {
			return err
		}
		if !paid {
			return fmt.Errorf("order %d is not paid", number)
		}
		return tx.Commit()
	}
	for number, paid := range []bool{true, false} {
		if err := order(number+1, "a@example.org", paid); err != nil {
			fmt.Println(err)
		}
	}
	page, err := box.List(ctx, queue.Filter{})
	if err != nil {
		log.Fatal(err)
	}
	for _, entry := range page.Entries {
		fmt.Println(entry.Subject, "is kept:", entry.Recipients[0].State)
	}
	// Output:
	// order 2 is not paid
	// Order 1 is kept: queued
}

// In PostgreSQL the transaction may be one of package pgx, and the daemon of any machine
// delivers the message.
func ExamplePgx() {
	ctx := context.Background()
	const database = "postgres://shop@db.example.com/shop"
	box, err := outbox.Open(ctx, database, outbox.Options{Accounts: new(account.File)}) // the accounts are on another machine
	if err != nil {
		log.Fatal(err)
	}
	defer box.Close()
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	tx, err := pool.Begin(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback(ctx) // has no effect after Commit
	if _, err := tx.Exec(ctx, "INSERT INTO orders VALUES ($1, $2)", 7, "a@example.org"); err != nil {
		log.Fatal(err)
	}
	m := yan.Message{From: "shop@example.com", To: []string{"a@example.org"}, Subject: "Order 7", Text: "Thank you."}
	o := outbox.EnqueueOptions{Account: "shop", Key: "order 7", Expires: time.Now().Add(24 * time.Hour)}
	if _, err := box.EnqueueTx(ctx, outbox.Pgx(tx), m, o); err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(ctx); err != nil {
		log.Fatal(err)
	}
}

// A worker that stores its position: each outcome is processed at least once, and none is
// missed.
func ExampleOutbox_Watch() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir, accounts, end := exampleSetup()
	defer end()
	box, err := outbox.Open(ctx, filepath.Join(dir, "outbox.db"), outbox.Options{Accounts: accounts})
	if err != nil {
		log.Fatal(err)
	}
	defer box.Close()
	working := make(chan error)
	go func() { working <- box.Deliver(ctx) }()

	var kept queue.Cursor // in a file, or a table of the program's own
	for _, to := range []string{"a@example.org", "b@example.org"} {
		if _, err := box.Enqueue(ctx, yan.Message{To: []string{to}, Text: "Hello"}, outbox.EnqueueOptions{}); err != nil {
			log.Fatal(err)
		}
		for e, err := range box.Watch(ctx, kept) {
			if err != nil {
				log.Print(err)
				continue
			}
			kept = e.Cursor
			if e.State == queue.HandedOver {
				fmt.Println(e.Address, "has it")
				break // the next loop continues from kept
			}
		}
	}
	cancel()
	if err := <-working; err != nil {
		log.Fatal(err)
	}
	// Output:
	// a@example.org has it
	// b@example.org has it
}
