# The developers' commands. Each works alone, prints its steps and fails loudly.
# They need Go, gcc (for the race detector) and make, and fetch everything else.
#
#	make test     everything below except the benchmark; CI runs this
#	make lint     gofmt, go vet for three systems, staticcheck, the English, known
#	              vulnerabilities
#	make words    write the lower figures of the English to tools/words/figures.txt;
#	              make words LIST=-list also prints the places
#	make unit     the tests, with the race detector; those of the outbox and of
#	              smtpclient, which repeat less under it, also without
#	make fuzz     every fuzz target, FUZZTIME each (2s); for longer: make fuzz FUZZTIME=60s
#	make cross    the command for six systems, without cgo, into dist/
#	make packages the packages yan and yan-mta for Debian and RPM, into dist/
#	make interop  the tests against Debian's Postfix, Dovecot and GNOME Keyring,
#	              eight other mail servers of Debian, npm and Go, nine readers of
#	              mail, 55 ways in which programs hand mail to yan, and the packages,
#	              in a Debian of their own
#	make recording  docs/login.svg and similar pictures, from a real `yan login`
#	make torture  10,000 random schedules of faults, every fault at every place, and
#	              memory over 100,000 messages, in some minutes; then 1,000 kills of
#	              processes that use an outbox
#	make indoubt  the share of recipients that end in doubt if yan serve is killed 48
#	              times and the server cuts replies, in a minute
#	make walk     the files that one "yan send" goes through
#	make bench    the benchmark against other programs, in about 20 minutes

FUZZTIME = 2s

.PHONY: test lint words unit fuzz cross packages interop recording torture indoubt walk bench bench-check

# Run in sequence even with -j: each target uses all cores.
.NOTPARALLEL:

test: lint unit fuzz cross bench-check interop

lint:
	sh tools/lint.sh

words:
	cd tools && go run ./words -write $(LIST)

# make lint has already run go vet with all its checks.
unit:
	go test -race -vet=off -count=1 -timeout 30m ./...
	go test -vet=off -count=1 ./internal/outbox/... ./internal/testing/durability ./internal/testing/outboxtest ./smtpclient

fuzz:
	sh tools/fuzz.sh $(FUZZTIME)

cross:
	sh tools/cross.sh

# make interop builds, installs and removes them.
packages:
	sh tools/packages.sh

# The figures are not tested; the benchmark's code and the pictures of the READMEs
# are.
bench-check:
	cd bench && go vet ./... && go test -vet=off -count=1 ./...
	cd tools/recording && go vet ./... && go test -vet=off -count=1 ./...

interop:
	go test -tags interop -vet=off -count=1 -v -timeout 15m ./interop/...

recording:
	mkdir -p dist && CGO_ENABLED=0 go build -o dist/yan ./cmd/yan
	cd tools/recording && go run . -yan "$(CURDIR)/dist/yan" -out ../../docs

# 300 schedules, one fault at every place and 10,000 messages are part of the
# unit tests. To repeat a failed schedule, run
# `go test ./internal/testing/faultproxy -run Random -seed N`.
torture:
	go test -count=1 -v -timeout 60m ./internal/testing/faultproxy -schedules 10000 -thorough -messages 100000
	go test -count=1 -v -timeout 60m ./internal/intake/smtpserver -run "Schedules|EveryPlace" -schedules 10000 -thorough
	go test -count=1 -v -timeout 60m ./internal/testing/durability -thorough -kills 1000 -crashes 30

indoubt:
	mkdir -p dist && CGO_ENABLED=0 go build -o dist/yan ./cmd/yan
	cd tools && go run ./indoubt -yan "$(CURDIR)/dist/yan"

walk:
	cd tools && go run ./walk

bench:
	cd bench && go run . -rounds 5 -json results.json
