type Sample = Record<string, unknown>;

/**
 * Valid observables (STIX 2.1 §6): per type one that has every property and extension, and others where properties
 * exclude each other. Their ids are the deterministic ones, but for that of the process, which has none (§2.9).
 */
export const observableSamples: Sample[] = [
  {
    type: 'artifact',
    spec_version: '2.1',
    id: 'artifact--1f281bf4-a651-50a0-b113-4703b9e7a725',
    mime_type: 'application/zip',
    payload_bin: 'YSBsb2NrZWQgYXJjaGl2ZQ==',
    hashes: {
      MD5: 'a6a137dbc8127001e85454023a2f3477',
      'SHA-1': '93dc615a46f534163ae7febaa18c8eae50b75254',
      'SHA-256': '5875532d5f73b7686d5a209ee36bd6c26cd6627c3cb23108e9987e45a006ee85',
      'SHA-512':
        '6f5f70f36f6b4bae827a0677e5b42298fcd3b661f5cef4aff99ece923248dcaaa4edfb3b18659740ee7daf03306201b490c1ab383f1970c2abbf9a1298a11dfd',
      'SHA3-256': '41d67d4cf6a848d7beea8099d2a5bca9ff3a15cfa2e1dbc6b37c94b0213cad08',
      'SHA3-512':
        '454fec78be6d23b1dd54fbb87b7bcc6f216d449fecde848e575989b2d011f21b391ecf7060ce4788bc97758cb011d685804c4ea95ef102c0bc1ad30d0261a3bf',
      SSDEEP: '3:AbCdEf0123+/:GhIjKl',
      TLSH: 'T16F5F70F36F6B4BAE827A0677E5B42298FCD3B661F5CEF4AFF99ECE923248DCAAA4EDFB',
    },
    encryption_algorithm: 'mime-type-indicated',
    decryption_key: 'infected',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['mime_type'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'artifact',
    spec_version: '2.1',
    id: 'artifact--aecda2d7-d217-5f35-81a4-ae118eff4bfd',
    mime_type: 'application/octet-stream',
    url: 'https://files.example.org/samples/17?raw=1',
    hashes: {
      'SHA-256': 'ce7b2a45e46dfe89e0e7e36f34e00761358321bd214e9a328df76a0d9ecff24d',
    },
    encryption_algorithm: 'AES-256-GCM',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['url'],
      },
    ],
    defanged: false,
  },
  {
    type: 'autonomous-system',
    spec_version: '2.1',
    id: 'autonomous-system--9ad79ee3-2fde-5015-b0cc-7a96404effca',
    number: 64496,
    name: 'Taxiway Test Network',
    rir: 'RIPE NCC',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['name'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'directory',
    spec_version: '2.1',
    id: 'directory--fcc126ae-c119-51b3-926d-69d400e52245',
    path: 'C:\\Users\\mira\\Downloads',
    path_enc: 'windows-1252',
    ctime: '2023-02-01T09:31:00.000Z',
    mtime: '2024-11-12T13:20:00.000Z',
    atime: '2024-11-12T13:21:00.000Z',
    contains_refs: ['directory--3bfdcfbf-b037-58d1-9d11-c4f5a03a00ca', 'file--5464741d-9d1d-55fa-81f9-5ce906041078'],
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['path'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'domain-name',
    spec_version: '2.1',
    id: 'domain-name--613fd40f-075d-57d5-b8bb-e4c1ea2e6ac6',
    value: 'edge-3.example.net',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['value'],
      },
    ],
    defanged: false,
  },
  {
    type: 'domain-name',
    spec_version: '2.1',
    id: 'domain-name--e64186d5-c9d3-5627-8c09-13beea2e1c5b',
    value: 'login.bücher.example',
    resolves_to_refs: [
      'ipv4-addr--93a009bc-d264-5e6f-9c0b-a66d7836386a',
      'ipv6-addr--766e2f86-cbed-5318-8217-38fa12b3221e',
      'domain-name--613fd40f-075d-57d5-b8bb-e4c1ea2e6ac6',
    ],
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['value'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'domain-name',
    spec_version: '2.1',
    id: 'domain-name--73e8ad8b-cf4d-52c2-87e3-381bea696967',
    value: 'drop[.]example[.]org',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['value'],
      },
    ],
    defanged: true,
  },
  {
    type: 'email-addr',
    spec_version: '2.1',
    id: 'email-addr--e43fc518-a01b-5ce5-96e9-9105ffe7ee44',
    value: 'mira.vogel@example.org',
    display_name: 'Mira Vogel',
    belongs_to_ref: 'user-account--584a7844-eabc-5ef3-8d4c-54450adbd01a',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['display_name'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'email-addr',
    spec_version: '2.1',
    id: 'email-addr--cb8346df-65ae-59c8-a901-0ed4948aef4b',
    value: 'desk@example.net',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['value'],
      },
    ],
    defanged: false,
  },
  {
    type: 'email-message',
    spec_version: '2.1',
    id: 'email-message--a7db2b66-e886-5d98-b314-4fc34bebe66f',
    is_multipart: true,
    date: '2024-11-12T13:15:00.000Z',
    content_type: 'multipart/mixed; boundary=part',
    from_ref: 'email-addr--e43fc518-a01b-5ce5-96e9-9105ffe7ee44',
    sender_ref: 'email-addr--cb8346df-65ae-59c8-a901-0ed4948aef4b',
    to_refs: ['email-addr--cb8346df-65ae-59c8-a901-0ed4948aef4b'],
    cc_refs: ['email-addr--e43fc518-a01b-5ce5-96e9-9105ffe7ee44'],
    bcc_refs: ['email-addr--cb8346df-65ae-59c8-a901-0ed4948aef4b'],
    message_id: '<17.4@example.org>',
    subject: 'Offene Rechnung',
    received_lines: ['from edge-3.example.net by mx.example.org; Tue, 12 Nov 2024 13:15:02 +0000'],
    additional_header_fields: {
      'X-Mailer': ['Taxiway Test Mailer'],
      'Reply-To': ['desk@example.net', 'mira.vogel@example.org'],
    },
    body_multipart: [
      {
        body: 'Siehe Anhang.',
        content_type: 'text/plain; charset=utf-8',
        content_disposition: 'inline',
      },
      {
        body_raw_ref: 'file--61334927-8716-521a-b1f0-83e8743168e6',
        content_type: 'application/zip',
        content_disposition: 'attachment; filename="rechnung.zip"',
      },
    ],
    raw_email_ref: 'artifact--1f281bf4-a651-50a0-b113-4703b9e7a725',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['body_multipart.[0].body'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'email-message',
    spec_version: '2.1',
    id: 'email-message--e3d1f86b-e952-5d3b-a5e5-2aa31583990f',
    is_multipart: false,
    subject: 'Nachtrag',
    body: 'Danke.',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['body'],
      },
    ],
    defanged: false,
  },
  {
    type: 'file',
    spec_version: '2.1',
    id: 'file--5464741d-9d1d-55fa-81f9-5ce906041078',
    name: 'notes.txt',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['name'],
      },
    ],
    defanged: false,
  },
  {
    type: 'file',
    spec_version: '2.1',
    id: 'file--61334927-8716-521a-b1f0-83e8743168e6',
    hashes: {
      MD5: 'e5f96ae00443877315fbb64fd3d90005',
      'SHA-1': 'baeba7e7b9ec453e23b5bac313219285d6292358',
      'SHA-256': '52d6e3de4fa0dcc29946695f93940c3e7f26f30e1e39f4b1a49ad98839112786',
      'SHA-512':
        '659983d23c6f9d1045e3f2dcdce32383ce9e65b3b967821dd5bf98ec8a3e207440aae696ecfbdf9ba453b817023cc0a05a9c0d3852e5e39a0e8a31494acbebd6',
      'SHA3-256': '56baeb9a7352de679311be0914a6e9cfb4b9140e377d9098b7398f669a544ce6',
      'SHA3-512':
        '29a6b56855be75a6fb1344c96376501903a54b7840e4471574995aa2dbaeb3e14de80420ef7547f8e8584a027e6bb235eff7b903abf57a1455ecc0572e6911d9',
      SSDEEP: '3:AbCdEf0123+/:GhIjKl',
      TLSH: 'T1659983D23C6F9D1045E3F2DCDCE32383CE9E65B3B967821DD5BF98EC8A3E207440AAE6',
    },
    size: 20480,
    name: 'rechnung_märz.exe',
    name_enc: 'windows-1252',
    magic_number_hex: '4d5a',
    mime_type: 'application/vnd.microsoft.portable-executable',
    ctime: '2024-11-12T13:18:00.000Z',
    mtime: '2024-11-12T13:19:00.000Z',
    atime: '2024-11-12T13:20:00.000Z',
    parent_directory_ref: 'directory--fcc126ae-c119-51b3-926d-69d400e52245',
    contains_refs: ['file--5464741d-9d1d-55fa-81f9-5ce906041078', 'ipv4-addr--93a009bc-d264-5e6f-9c0b-a66d7836386a'],
    content_ref: 'artifact--1f281bf4-a651-50a0-b113-4703b9e7a725',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['extensions.windows-pebinary-ext.sections.[0].name'],
      },
    ],
    defanged: false,
    extensions: {
      'archive-ext': {
        contains_refs: [
          'file--5464741d-9d1d-55fa-81f9-5ce906041078',
          'directory--15c6b281-092d-51e8-b65c-266ac9dbfdcc',
        ],
        comment: 'packed twice',
      },
      'ntfs-ext': {
        sid: 'S-1-5-21-1004336348-1177238915-682003330-512',
        alternate_data_streams: [
          {
            name: 'Zone.Identifier',
            hashes: {
              'SHA-256': '543e33c48b3c23d3b3ef151358533bc206fa0225ba66b89933a795451f016479',
            },
            size: 26,
          },
        ],
      },
      'pdf-ext': {
        version: '1.7',
        is_optimized: false,
        document_info_dict: {
          Title: 'Rechnung',
          Producer: 'Taxiway Test Writer',
        },
        pdfid0: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
        pdfid1: 'f9e8d7c6b5a4938271605f4e3d2c1b0a',
      },
      'raster-image-ext': {
        image_height: 480,
        image_width: 640,
        bits_per_pixel: 24,
        exif_tags: {
          Model: 'TX-1',
          Orientation: 1,
        },
      },
      'windows-pebinary-ext': {
        pe_type: 'exe',
        imphash: 'a6878bf5d858367643a1ef2871d36f47',
        machine_hex: '8664',
        number_of_sections: 2,
        time_date_stamp: '2024-03-04T05:06:07.000Z',
        pointer_to_symbol_table_hex: '00000000',
        number_of_symbols: 0,
        size_of_optional_header: 240,
        characteristics_hex: '0022',
        file_header_hashes: {
          'SHA-256': 'faf89493909c155f83da544cb52b74039b0c6f56487d1929d7dae96abb5f7a06',
        },
        optional_header: {
          magic_hex: '020b',
          major_linker_version: 14,
          minor_linker_version: 29,
          size_of_code: 4096,
          size_of_initialized_data: 8192,
          size_of_uninitialized_data: 0,
          address_of_entry_point: 5120,
          base_of_code: 4096,
          base_of_data: 12288,
          image_base: 4194304,
          section_alignment: 4096,
          file_alignment: 512,
          major_os_version: 6,
          minor_os_version: 1,
          major_image_version: 1,
          minor_image_version: 2,
          major_subsystem_version: 6,
          minor_subsystem_version: 1,
          win32_version_value_hex: '00000000',
          size_of_image: 32768,
          size_of_headers: 1024,
          checksum_hex: '0001a2b3',
          subsystem_hex: '0002',
          dll_characteristics_hex: '8160',
          size_of_stack_reserve: 1048576,
          size_of_stack_commit: 4096,
          size_of_heap_reserve: 1048576,
          size_of_heap_commit: 4096,
          loader_flags_hex: '00000000',
          number_of_rva_and_sizes: 16,
          hashes: {
            'SHA-256': '6cafea2eb621001e67fa237f2fc92bdf51233da5137976e5f62dbd5d4e39ddec',
          },
        },
        sections: [
          {
            name: '.text',
            size: 4096,
            entropy: 6.25,
            hashes: {
              'SHA-256': '742f31af7be175477d941ee4951a848724a09302e50df4eca384d9210b17e8d3',
            },
          },
          {
            name: '.rsrc',
            entropy: 3,
          },
        ],
      },
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'ipv4-addr',
    spec_version: '2.1',
    id: 'ipv4-addr--93a009bc-d264-5e6f-9c0b-a66d7836386a',
    value: '192.0.2.17',
    resolves_to_refs: ['mac-addr--1879fe86-3131-5b80-b6b1-4505b9a193d9'],
    belongs_to_refs: ['autonomous-system--9ad79ee3-2fde-5015-b0cc-7a96404effca'],
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['resolves_to_refs.[0]'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'ipv4-addr',
    spec_version: '2.1',
    id: 'ipv4-addr--a0895f10-d89d-56ad-a4a4-dc873ee08b8c',
    value: '203.0.113.0/24',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['value'],
      },
    ],
    defanged: false,
  },
  {
    type: 'ipv6-addr',
    spec_version: '2.1',
    id: 'ipv6-addr--766e2f86-cbed-5318-8217-38fa12b3221e',
    value: '2001:db8::17',
    resolves_to_refs: ['mac-addr--1879fe86-3131-5b80-b6b1-4505b9a193d9'],
    belongs_to_refs: ['autonomous-system--9ad79ee3-2fde-5015-b0cc-7a96404effca'],
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['value'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'ipv6-addr',
    spec_version: '2.1',
    id: 'ipv6-addr--47966dc1-f30e-5447-80ac-12d9110f1bad',
    value: '2001:db8:17::/48',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['value'],
      },
    ],
    defanged: false,
  },
  {
    type: 'mac-addr',
    spec_version: '2.1',
    id: 'mac-addr--1879fe86-3131-5b80-b6b1-4505b9a193d9',
    value: '00:00:5e:00:53:01',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['value'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'mutex',
    spec_version: '2.1',
    id: 'mutex--3f2d5a71-6443-59c4-8b61-776ec57b8f2c',
    name: 'Global\\taxiway-17',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['name'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'network-traffic',
    spec_version: '2.1',
    id: 'network-traffic--9d0aed25-d23d-569b-b339-2147fbcb9e76',
    start: '2024-11-12T13:22:00.000Z',
    end: '2024-11-12T13:22:04.500Z',
    is_active: false,
    src_ref: 'ipv4-addr--93a009bc-d264-5e6f-9c0b-a66d7836386a',
    dst_ref: 'domain-name--e64186d5-c9d3-5627-8c09-13beea2e1c5b',
    src_port: 49152,
    dst_port: 80,
    protocols: ['ipv4', 'tcp', 'http'],
    src_byte_count: 512,
    dst_byte_count: 20480,
    src_packets: 6,
    dst_packets: 18,
    ipfix: {
      minimumIpTotalLength: 40,
      applicationName: 'http',
    },
    src_payload_ref: 'artifact--1f281bf4-a651-50a0-b113-4703b9e7a725',
    dst_payload_ref: 'artifact--1f281bf4-a651-50a0-b113-4703b9e7a725',
    encapsulates_refs: ['network-traffic--72a1f4c4-ee16-507b-8d9d-74c681fc3f8f'],
    encapsulated_by_ref: 'network-traffic--4b098b1a-ae0b-5773-9b2b-354cb99d1a44',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['extensions.http-request-ext.request_header.Host'],
      },
    ],
    defanged: false,
    extensions: {
      'http-request-ext': {
        request_method: 'post',
        request_value: '/gate',
        request_version: 'http/1.1',
        request_header: {
          Host: ['login.example.org'],
          Accept: ['text/html', '*/*'],
        },
        message_body_length: 42,
        message_body_data_ref: 'artifact--1f281bf4-a651-50a0-b113-4703b9e7a725',
      },
      'icmp-ext': {
        icmp_type_hex: '08',
        icmp_code_hex: '00',
      },
      'socket-ext': {
        address_family: 'AF_INET',
        is_blocking: true,
        is_listening: false,
        options: {
          SO_KEEPALIVE: 1,
          SO_RCVTIMEO: 250,
        },
        socket_type: 'SOCK_STREAM',
        socket_descriptor: 7,
        socket_handle: 4711,
      },
      'tcp-ext': {
        src_flags_hex: '1b',
        dst_flags_hex: '12',
      },
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'network-traffic',
    spec_version: '2.1',
    id: 'network-traffic--1c3904ea-a0bf-5ff8-bc0c-add5d8fddd34',
    is_active: true,
    dst_ref: 'mac-addr--1879fe86-3131-5b80-b6b1-4505b9a193d9',
    protocols: ['arp'],
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['protocols'],
      },
    ],
    defanged: false,
  },
  {
    type: 'process',
    spec_version: '2.1',
    id: 'process--0d9c8b7a-6f5e-4d3c-8b2a-1f0e9d8c7b6a',
    is_hidden: true,
    pid: 4242,
    created_time: '2024-11-12T13:21:30.000Z',
    cwd: 'C:\\Users\\mira',
    command_line: 'rechnung.exe /quiet',
    environment_variables: {
      TEMP: 'C:\\Temp',
      LANG: '',
    },
    opened_connection_refs: ['network-traffic--9d0aed25-d23d-569b-b339-2147fbcb9e76'],
    creator_user_ref: 'user-account--584a7844-eabc-5ef3-8d4c-54450adbd01a',
    image_ref: 'file--61334927-8716-521a-b1f0-83e8743168e6',
    parent_ref: 'process--1f0e3c5a-7b9d-4e2f-8a6c-0d1b2c3e4f5a',
    child_refs: ['process--2a1b3c4d-5e6f-4a7b-9c8d-7e6f5a4b3c2d'],
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['command_line'],
      },
    ],
    defanged: false,
    extensions: {
      'windows-process-ext': {
        aslr_enabled: true,
        dep_enabled: false,
        priority: 'NORMAL_PRIORITY_CLASS',
        owner_sid: 'S-1-5-18',
        windows_title: 'Rechnung',
        window_title: 'Rechnung',
        startup_info: {
          lpDesktop: 'winsta0',
          dwFlags: 1,
        },
        integrity_level: 'high',
      },
      'windows-service-ext': {
        service_name: 'txsvc',
        descriptions: ['Keeps the taxiway clear'],
        display_name: 'Taxiway Service',
        group_name: 'Base',
        start_type: 'SERVICE_AUTO_START',
        service_dll_refs: ['file--5464741d-9d1d-55fa-81f9-5ce906041078'],
        service_type: 'SERVICE_WIN32_OWN_PROCESS',
        service_status: 'SERVICE_RUNNING',
      },
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'software',
    spec_version: '2.1',
    id: 'software--b69ea577-d623-5c11-8130-3aa60392ca07',
    name: 'Taxiway Viewer',
    cpe: 'cpe:2.3:a:taxiway:viewer:2.4:rc1:*:de:*:linux:x64:a\\+b',
    swid: 'example.org-taxiway-viewer-2.4',
    languages: ['de', 'en-GB'],
    vendor: 'Example Tools',
    version: '2.4',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['name'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'url',
    spec_version: '2.1',
    id: 'url--2648431c-3d6c-556d-8f34-253c29cdae05',
    value: 'https://login.example.org:8443/gate?id=17#top',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['value'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'user-account',
    spec_version: '2.1',
    id: 'user-account--584a7844-eabc-5ef3-8d4c-54450adbd01a',
    user_id: '1017',
    credential: 'correct-horse',
    account_login: 'mira',
    account_type: 'unix',
    display_name: 'Mira Vogel',
    is_service_account: false,
    is_privileged: false,
    can_escalate_privs: true,
    is_disabled: false,
    account_created: '2023-02-01T08:00:00.000Z',
    account_expires: '2027-02-01T08:00:00.000Z',
    credential_last_changed: '2024-05-06T07:08:09.000Z',
    account_first_login: '2023-02-01T09:30:00.000Z',
    account_last_login: '2024-11-12T13:14:15.000Z',
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['extensions.unix-account-ext.groups'],
      },
    ],
    defanged: false,
    extensions: {
      'unix-account-ext': {
        gid: 100,
        groups: ['users', 'docker'],
        home_dir: '/home/mira',
        shell: '/bin/zsh',
      },
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'windows-registry-key',
    spec_version: '2.1',
    id: 'windows-registry-key--47efd2b1-84f5-5100-8a4d-dd70e298f18a',
    key: 'HKEY_CURRENT_USER\\Software\\Taxiway',
    values: [
      {
        name: '',
        data: 'on',
        data_type: 'REG_SZ',
      },
      {
        name: 'Count',
        data: '17',
        data_type: 'REG_DWORD',
      },
    ],
    modified_time: '2024-11-12T13:23:00.000Z',
    creator_user_ref: 'user-account--584a7844-eabc-5ef3-8d4c-54450adbd01a',
    number_of_subkeys: 3,
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['values.[0].data'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
  {
    type: 'x509-certificate',
    spec_version: '2.1',
    id: 'x509-certificate--6a37d9c1-b650-5f2f-9282-4b9e714938d0',
    is_self_signed: false,
    hashes: {
      'SHA-256': '03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72',
    },
    version: '3',
    serial_number: '1a:2b:3c:4d',
    signature_algorithm: 'sha256WithRSAEncryption',
    issuer: 'CN=Example Test CA,O=Example Tools',
    validity_not_before: '2024-01-01T00:00:00.000Z',
    validity_not_after: '2025-01-01T00:00:00.000Z',
    subject: 'CN=login.example.org',
    subject_public_key_algorithm: 'rsaEncryption',
    subject_public_key_modulus: '00:c3:5d:17',
    subject_public_key_exponent: 65537,
    x509_v3_extensions: {
      basic_constraints: 'critical,CA:FALSE',
      name_constraints: 'permitted;DNS:example.org',
      policy_constraints: 'inhibitPolicyMapping:0',
      key_usage: 'critical,digitalSignature',
      extended_key_usage: 'serverAuth',
      subject_key_identifier: '0a:1b:2c',
      authority_key_identifier: 'keyid:3d:4e:5f',
      subject_alternative_name: 'DNS:login.example.org',
      issuer_alternative_name: 'URI:https://ca.example.org/',
      subject_directory_attributes: 'countryOfCitizenship=AT',
      crl_distribution_points: 'URI:http://ca.example.org/crl.pem',
      inhibit_any_policy: '1',
      private_key_usage_period_not_before: '2024-01-01T00:00:00.000Z',
      private_key_usage_period_not_after: '2024-12-31T23:59:59.000Z',
      certificate_policies: '1.3.6.1.4.1.32473.1',
      policy_mappings: '1.3.6.1.4.1.32473.1:1.3.6.1.4.1.32473.2',
    },
    object_marking_refs: ['marking-definition--5b4c2f0e-7f9e-4d8b-9c0e-2a1d3f4b5c6d'],
    granular_markings: [
      {
        lang: 'en',
        selectors: ['x509_v3_extensions.subject_alternative_name'],
      },
    ],
    defanged: false,
    extensions: {
      'extension-definition--3e7d1b52-6c4a-4f0e-8a9b-1c2d3e4f5a6b': {
        extension_type: 'property-extension',
        seen_by: 'honeypot-7',
      },
    },
  },
];
