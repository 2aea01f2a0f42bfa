package charset

import (
	"strconv"

	"golang.org/x/sys/windows"
)

// OfInput is the charset that other programs write in: the code page of the
// console, in which "dir" writes, or that of the system where there is no console.
func OfInput(getenv func(string) string) string {
	if of := ofLocale(getenv); of != "" {
		return of
	}
	page, err := windows.GetConsoleOutputCP()
	if err != nil || page == 0 {
		page = windows.GetACP()
	}
	return "cp" + strconv.FormatUint(uint64(page), 10)
}
