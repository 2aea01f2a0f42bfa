// Enmime reads messages with the enmime library.
//
//	enmime FILE…
package main

import (
	"encoding/hex"
	"encoding/json"
	"log"
	"os"
	"strings"

	"github.com/jhillyerd/enmime/v2"
)

type attached struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Charset string `json:"charset"`
	Octets  string `json:"octets"`
}

func main() {
	for _, path := range os.Args[1:] {
		if err := read(path); err != nil {
			log.Fatalf("%s: %v", path, err)
		}
	}
}

func read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	envelope, err := enmime.ReadEnvelope(file)
	if err != nil {
		return err
	}
	found := []attached{}
	for _, part := range envelope.Attachments {
		found = append(found, attached{part.FileName, part.ContentType, strings.ToLower(part.Charset), hex.EncodeToString(part.Content)})
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"file": path, "subject": envelope.GetHeader("Subject"), "attachments": found})
}
