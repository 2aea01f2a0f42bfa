# The developers' commands. Each stands alone, prints what it does and fails
# loudly. What they need beyond Go, gcc (for the race detector) and make, they
# fetch themselves.
#
#	make test     everything below but the figures: what CI runs
#	make lint     gofmt, go vet for three systems, staticcheck, the English, known
#	              vulnerabilities
#	make words    the figures of the English that have fallen, into tools/words/figures.txt;
#	              the places that count: make words LIST=-list
#	make unit     the tests, with the race detector; those of the outbox and of
#	              smtpclient, which repeat less under it, also without
#	make fuzz     every fuzz target, FUZZTIME each (2s); longer by hand: make fuzz FUZZTIME=60s
#	make cross    the command for six systems, without cgo, into dist/
#	make interop  the tests against Debian's Postfix, Dovecot and GNOME Keyring,
#	              eight other mail servers of Debian, npm and Go, and nine readers
#	              of mail
#	make recording  docs/login.svg and its like, from a real `yan login`
#	make torture  10,000 random schedules of faults, every fault at every place, and
#	              the memory over 100,000 messages, in some minutes; then 1,000 kills
#	              of processes that use an outbox
#	make bench    the figures beside the peers, in about 20 minutes

FUZZTIME = 2s

.PHONY: test lint words unit fuzz cross interop recording torture bench bench-check

# One after the other even under -j: each uses all cores by itself.
.NOTPARALLEL:

test: lint unit fuzz cross bench-check interop

lint:
	sh tools/lint.sh

words:
	cd tools && go run ./words -write $(LIST)

# What go test would vet again, make lint has vetted with all that go vet knows.
unit:
	go test -race -vet=off -count=1 -timeout 30m ./...
	go test -vet=off -count=1 ./internal/outbox/... ./smtpclient

fuzz:
	sh tools/fuzz.sh $(FUZZTIME)

cross:
	sh tools/cross.sh

# The figures are not part of the tests: that they can be taken is, and that the
# pictures of the READMEs can be read.
bench-check:
	cd bench && go vet ./... && go test -vet=off -count=1 ./...
	cd tools/recording && go vet ./... && go test -vet=off -count=1 ./...

interop:
	go test -tags interop -vet=off -count=1 -v -timeout 15m ./interop/...

recording:
	mkdir -p dist && CGO_ENABLED=0 go build -o dist/yan ./cmd/yan
	cd tools/recording && go run . -yan "$(CURDIR)/dist/yan" -out ../../docs

# 300 schedules, one fault at every place and 10,000 messages are part of the
# unit tests. A schedule that failed is repeated with
# `go test ./internal/torture -run Random -seed N`.
torture:
	go test -count=1 -v -timeout 60m ./internal/torture -schedules 10000 -thorough -messages 100000
	go test -count=1 -v -timeout 60m ./internal/outbox/survival -thorough -kills 1000 -crashes 30

bench:
	cd bench && go run . -rounds 5 -json results.json
