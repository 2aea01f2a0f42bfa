//go:build !unix

package sqlite

import "os"

// On this system the folder determines the owner of new files.
type ownership struct{}

func ownerOf(string) (*ownership, error)        { return nil, nil }
func inheritedOwner(string) *ownership          { return nil }
func (o *ownership) giveFile(*os.File) error    { return nil }
func (o *ownership) givePath(string) error      { return nil }
func (o *ownership) giveFolder(string) error    { return nil }
func (o *ownership) checkFolder(*os.Root) error { return nil }
