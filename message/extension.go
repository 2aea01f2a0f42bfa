package message

import "slices"

// extensionTypes lists the media types by the extensions of files: those of IANA's list, or else the
// common ones.
var extensionTypes = [...]struct {
	contentType string
	extensions  []string
}{
	{"text/plain", []string{".txt", ".log", ".text", ".ini", ".conf", ".cfg"}},
	{"text/csv", []string{".csv"}},
	{"text/tab-separated-values", []string{".tsv"}},
	{"text/html", []string{".html", ".htm"}},
	{"text/css", []string{".css"}},
	{"text/markdown", []string{".md", ".markdown"}},
	{"text/calendar", []string{".ics"}},
	{"text/vcard", []string{".vcf"}},
	{"text/javascript", []string{".js", ".mjs"}},
	{"text/x-diff", []string{".diff", ".patch"}},
	{savedMessageType, []string{".eml"}},
	{"application/json", []string{".json"}},
	{"application/xml", []string{".xml"}},
	{"application/yaml", []string{".yaml", ".yml"}},
	{"application/toml", []string{".toml"}},
	{"application/sql", []string{".sql"}},
	{"application/x-sh", []string{".sh"}},
	{"image/png", []string{".png"}},
	{"image/apng", []string{".apng"}},
	{"image/jpeg", []string{".jpg", ".jpeg", ".jfif", ".jpe"}},
	{"image/gif", []string{".gif"}},
	{"image/webp", []string{".webp"}},
	{"image/avif", []string{".avif"}},
	{"image/heic", []string{".heic"}},
	{"image/heif", []string{".heif"}},
	{"image/tiff", []string{".tif", ".tiff"}},
	{"image/svg+xml", []string{".svg"}},
	{"image/bmp", []string{".bmp"}},
	{"image/jxl", []string{".jxl"}},
	{"image/vnd.microsoft.icon", []string{".ico"}},
	{"audio/mpeg", []string{".mp3"}},
	{"audio/mp4", []string{".m4a"}},
	{"audio/aac", []string{".aac"}},
	{"audio/wav", []string{".wav"}},
	{"audio/flac", []string{".flac"}},
	{"audio/ogg", []string{".ogg", ".oga", ".opus"}},
	{"audio/amr", []string{".amr"}},
	{"video/mp4", []string{".mp4", ".m4v"}},
	{"video/quicktime", []string{".mov"}},
	{"video/webm", []string{".webm"}},
	{"video/matroska", []string{".mkv"}},
	{"video/x-msvideo", []string{".avi"}},
	{"video/mpeg", []string{".mpeg", ".mpg"}},
	{"video/3gpp", []string{".3gp"}},
	{"application/pdf", []string{".pdf"}},
	{"application/zip", []string{".zip"}},
	{"application/gzip", []string{".gz", ".tgz"}},
	{"application/x-7z-compressed", []string{".7z"}},
	{"application/vnd.rar", []string{".rar"}},
	{"application/x-tar", []string{".tar"}},
	{"application/x-bzip2", []string{".bz2"}},
	{"application/x-xz", []string{".xz"}},
	{"application/zstd", []string{".zst"}},
	{"application/msword", []string{".doc", ".dot"}},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", []string{".docx"}},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.template", []string{".dotx"}},
	{"application/vnd.ms-word.document.macroEnabled.12", []string{".docm"}},
	{"application/vnd.ms-excel", []string{".xls"}},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", []string{".xlsx"}},
	{"application/vnd.ms-excel.sheet.macroEnabled.12", []string{".xlsm"}},
	{"application/vnd.ms-powerpoint", []string{".ppt", ".pps"}},
	{"application/vnd.openxmlformats-officedocument.presentationml.presentation", []string{".pptx"}},
	{"application/vnd.openxmlformats-officedocument.presentationml.slideshow", []string{".ppsx"}},
	{"application/vnd.oasis.opendocument.text", []string{".odt"}},
	{"application/vnd.oasis.opendocument.spreadsheet", []string{".ods"}},
	{"application/vnd.oasis.opendocument.presentation", []string{".odp"}},
	{"application/vnd.oasis.opendocument.graphics", []string{".odg"}},
	{"application/epub+zip", []string{".epub"}},
	{"application/rtf", []string{".rtf"}},
	{"application/postscript", []string{".ps"}},
	{"application/vnd.ms-outlook", []string{".msg"}},
	{"application/vnd.visio", []string{".vsd"}},
	{"application/vnd.android.package-archive", []string{".apk"}},
	{octetStream, []string{".bin", ".exe", ".dll", ".iso", ".dmg", ".dat"}},
}

// typeOfExtension returns the media type of an extension with its dot; "" if it is unknown.
func typeOfExtension(ext string) string {
	for _, row := range extensionTypes {
		if slices.Contains(row.extensions, ext) {
			return row.contentType
		}
	}
	return ""
}
