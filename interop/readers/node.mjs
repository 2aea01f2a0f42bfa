// Reads messages with mailparser or postal-mime.
//
// usage: node.mjs mailparser|postal-mime FILE...
import { readFileSync } from "node:fs";
import { simpleParser } from "mailparser";
import PostalMime from "postal-mime";

const readers = {
  async mailparser(raw) {
    const m = await simpleParser(raw);
    return {
      subject: m.subject,
      attachments: m.attachments.map((a) => ({
        name: a.filename,
        type: a.contentType,
        charset: a.headers.get("content-type")?.params?.charset ?? "",
        octets: a.content.toString("hex"),
      })),
    };
  },
  async "postal-mime"(raw) {
    const m = await PostalMime.parse(raw, { rfc822Attachments: true });
    return {
      subject: m.subject,
      attachments: m.attachments.map((a) => ({
        name: a.filename,
        type: a.mimeType,
        octets: Buffer.from(a.content).toString("hex"),
      })),
    };
  },
};

const [reader, ...files] = process.argv.slice(2);
for (const file of files) {
  console.log(JSON.stringify({ file, ...(await readers[reader](readFileSync(file))) }));
}
